"""Makes the Python code of backend.proto anew: `python -m sim.live.proto.generate`; needs the extra `dev`."""

import sys
from pathlib import Path

from grpc_tools import protoc

ROOT = Path(__file__).parents[3]
PROTO = "sim/live/proto/backend.proto"


def generate(*outputs: str) -> None:
    """Run the compiler on backend.proto with these output options; RuntimeError if it fails."""
    # Paths from the root of the packages, because the modules import each other by them.
    status = protoc.main(["protoc", f"--proto_path={ROOT}", *outputs, PROTO])
    if status:
        raise RuntimeError(f"protoc ended with status {status}")


if __name__ == "__main__":
    # protoc looks for the plugins of mypy-protobuf on the PATH, which an unactivated environment is not on.
    plugins = [
        f"--plugin={name}={Path(sys.executable).parent / name}" for name in ("protoc-gen-mypy", "protoc-gen-mypy_grpc")
    ]
    generate(*plugins, *(f"--{kind}_out={ROOT}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")))
