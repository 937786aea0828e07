"""The gRPC client against a backend that is not ours: what real ones answer, and how it is read."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import grpc
import pytest

from sim.live.nodes.backend import GrpcDialer, call_error
from sim.live.proto.backend_pb2 import HealthMessage, ModelOptions, PredictOptions, Reply, Result, StatusResponse
from sim.live.proto.backend_pb2_grpc import BackendServicer, add_BackendServicer_to_server
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import Busy, CallError, DeadlineExceeded, ModelNotLoaded, Unavailable, WrongModel
from sim.routing.request import Request
from tests.live.workers import KEY, run
from tests.twins import MODEL, ListJournal


class ForeignBackend(BackendServicer):
    """Answers as it pleases, and keeps what it was asked."""

    def __init__(self) -> None:
        self.health = b"OK"
        self.loads = True
        self.turns_away = False
        self.asked: list[PredictOptions] = []
        self.callers: set[str] = set()

    def Health(self, request: HealthMessage, context: grpc.ServicerContext) -> Reply:  # noqa: N802
        self.callers.add(context.peer())
        return Reply(message=self.health)

    def Predict(self, request: PredictOptions, context: grpc.ServicerContext) -> Reply:  # noqa: N802
        return Reply(message=b"all at once")

    def PredictStream(self, request: PredictOptions, context: grpc.ServicerContext) -> Iterator[Reply]:  # noqa: N802
        if self.turns_away:
            context.abort(grpc.StatusCode.RESOURCE_EXHAUSTED, "queue full")
        self.asked.append(request)
        for token in range(3):
            yield Reply(message=b"%d" % token)

    def LoadModel(self, request: ModelOptions, context: grpc.ServicerContext) -> Result:  # noqa: N802
        return Result(success=self.loads, message="no such file")

    def Free(self, request: HealthMessage, context: grpc.ServicerContext) -> Result:  # noqa: N802
        return Result(success=False, message="busy")

    def Status(self, request: HealthMessage, context: grpc.ServicerContext) -> StatusResponse:  # noqa: N802
        return StatusResponse(state=StatusResponse.BUSY)


@contextmanager
def _serving(foreign: ForeignBackend) -> Iterator[str]:
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    add_BackendServicer_to_server(foreign, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    yield f"127.0.0.1:{port}"
    server.stop(None).wait()


@pytest.mark.parametrize("message", [b"", b"ok", b"OK\n", b"NOT OK"])
def test_health_is_only_an_exact_ok(message: bytes) -> None:
    foreign = ForeignBackend()

    async def story() -> None:
        dialer = GrpcDialer(AsyncioRuntime(), ListJournal())
        backend = dialer.dial(KEY, address)
        await backend.health()
        foreign.health = message
        with pytest.raises(Unavailable, match="to a health call, not OK"):
            await backend.health()
        await dialer.close()

    with _serving(foreign) as address:
        run(story)


def test_a_foreign_backend_is_told_all_of_the_request_and_its_tokens_are_heard() -> None:
    foreign, journal = ForeignBackend(), ListJournal()
    request = Request(7, MODEL, 0, 0, 0, prompt_tokens=3, output_tokens=5, demand_ns=11)

    async def story() -> None:
        dialer = GrpcDialer(AsyncioRuntime(), journal)
        await dialer.dial(KEY, address).predict(request)
        await dialer.close()

    with _serving(foreign) as address:
        run(story)

    assert foreign.asked == [
        PredictOptions(
            Prompt="word word word",
            Tokens=5,
            CorrelationId="7",
            ModelIdentity=MODEL,
            Metadata={"demand_ns": "11", "prompt_tokens": "3", "output_tokens": "5"},
        )
    ]
    assert journal.told == [("served_from", 7), ("first_token", 7)]


def test_refusals_of_a_foreign_backend_are_errors_of_a_call() -> None:
    foreign, journal = ForeignBackend(), ListJournal()
    foreign.loads, foreign.turns_away = False, True

    async def story() -> None:
        dialer = GrpcDialer(AsyncioRuntime(), journal)
        backend = dialer.dial(KEY, address)
        with pytest.raises(CallError, match="did not load m: no such file"):
            await backend.load_model(MODEL)
        with pytest.raises(CallError, match="did not free its model: busy"):
            await backend.free()
        with pytest.raises(Busy, match="queue full"):
            await backend.predict(Request(7, MODEL, 0, 0, 0, 0, 0, 0))
        assert await backend.status() == "BUSY"
        await dialer.close()

    with _serving(foreign) as address:
        run(story)

    assert journal.told == [("load_started", "node-1#0", False)]


def test_a_hundred_calls_share_one_connection() -> None:
    async def story() -> None:
        dialer = GrpcDialer(AsyncioRuntime(), ListJournal())
        await asyncio.gather(*(dialer.dial(KEY, address).health() for _ in range(100)))
        await dialer.close()

    foreign = ForeignBackend()
    with _serving(foreign) as address:
        run(story)

    assert len(foreign.callers) == 1


@pytest.mark.parametrize(
    ("code", "details", "kind"),
    [
        (grpc.StatusCode.DEADLINE_EXCEEDED, "", DeadlineExceeded),
        (grpc.StatusCode.UNAVAILABLE, "", Unavailable),
        (grpc.StatusCode.CANCELLED, "", Unavailable),
        (grpc.StatusCode.FAILED_PRECONDITION, "", ModelNotLoaded),
        (grpc.StatusCode.UNKNOWN, "rpc failed: Model not loaded", ModelNotLoaded),
        (grpc.StatusCode.NOT_FOUND, "model identity mismatch: a, not b", WrongModel),
        (grpc.StatusCode.NOT_FOUND, "no such method", CallError),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, "", Busy),
        (grpc.StatusCode.INTERNAL, "", CallError),
    ],
    ids=lambda value: value.name if isinstance(value, grpc.StatusCode) else "",
)
def test_a_status_is_read_as_the_error_of_that_name(code: grpc.StatusCode, details: str, kind: type[CallError]) -> None:
    error = call_error(code, details)

    assert type(error) is kind
    assert details in str(error)
