"""A backend process on this machine: `python -m sim.live.nodes.worker_process`, started by `LiveWorkers`.

The first line of its input is its `WorkerSpec`. It writes lines of JSON to its output: the model it holds, and its
address once it listens. Further input lines are orders:

    crash              end at once, as if it had been killed
    hang               answer nothing any more
    drop               hold no model any more
    answer_for MODEL   hold another model, without loading it
    reset              cut every connection, and listen again
    drain              take no more calls, and end when those under way have, or after a minute

It ends when its input does, so it cannot outlive its parent.
"""

import json
import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from threading import Lock

import grpc

from sim.live.nodes.backend import LARGEST_MESSAGE_BYTES
from sim.live.nodes.worker_health import SERVICES
from sim.live.nodes.worker_service import BackendService, BearerToken
from sim.live.nodes.worker_spec import WorkerSpec
from sim.live.proto.backend_pb2_grpc import add_BackendServicer_to_server

CRASHED = 70
"""Exit status after the order to crash."""

DRAIN_S = 60
"""How long running calls may take after the order to end."""

MOST_PENDING = 2**31 - 1

SERVER_OPTIONS = (
    # A port that another process listens on is refused, not shared with it.
    ("grpc.so_reuseport", 0),
    # gRPC cancels calls at random once 1000 wait to be accepted, but a scenario's burst must queue.
    ("grpc.server.max_pending_requests", MOST_PENDING),
    ("grpc.server.max_pending_requests_hard_limit", MOST_PENDING),
    ("grpc.max_send_message_length", LARGEST_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE_BYTES),
)

_telling = Lock()


def main() -> None:
    """Serve until told to stop."""
    # The parent stops this process. Ctrl-C in a terminal reaches both.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    spec = WorkerSpec.from_line(sys.stdin.readline())
    service = _new_service(spec)
    server, port = _listen(spec, service, spec.port)
    _tell("listening", f"127.0.0.1:{port}")
    for line in sys.stdin:
        match line.split():
            case ["reset"]:
                server.stop(grace=None).wait()
                server, _ = _listen(spec, service, port)
            case ["drain"]:
                server.stop(grace=DRAIN_S * spec.time_scale).wait()
                break
            case order:
                _obey(service, order)
    # Running calls are cut off: the parent has ended.
    os._exit(0)


def _new_service(spec: WorkerSpec) -> BackendService:
    service = SERVICES[spec.health](spec, on_hold=lambda model: _tell("holds", model))
    if spec.holds_model:
        service.hold(spec.model)
    return service


def _listen(spec: WorkerSpec, service: BackendService, port: int) -> tuple[grpc.Server, int]:
    """Serve at the port, or at any free one if it is 0; return which one it is."""
    server = grpc.server(
        ThreadPoolExecutor(max_workers=spec.workers),
        interceptors=[] if spec.token is None else [BearerToken(spec.token)],
        options=SERVER_OPTIONS,
    )
    add_BackendServicer_to_server(service, server)
    port = server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    return server, port


def _tell(event: str, value: str | None) -> None:
    with _telling:
        print(json.dumps({event: value}), flush=True)


def _obey(service: BackendService, words: list[str]) -> None:
    match words:
        case ["crash"]:
            os._exit(CRASHED)
        case ["hang"]:
            service.hang()
        case ["drop"]:
            service.hold(None)
        case ["answer_for", model]:
            service.hold(model)
        case _:
            print(f"not an order: {' '.join(words)}", file=sys.stderr)


if __name__ == "__main__":
    main()
