"""The client that reaches a backend process over gRPC: one of our own workers, or any LocalAI backend."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

import grpc

from sim.live.proto.backend_pb2 import HealthMessage, ModelOptions, PredictOptions, Reply, StatusResponse
from sim.live.proto.backend_pb2_grpc import BackendStub
from sim.routing.errors import Busy, CallError, DeadlineExceeded, ModelNotLoaded, Unavailable, Unwell, WrongModel
from sim.routing.ports import Journal, Runtime
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request

if TYPE_CHECKING:
    from sim.live.proto.backend_pb2_grpc import BackendAsyncStub

AnyCall = TypeVar("AnyCall", bound=grpc.aio.RpcContext)

HELD_MODEL = "sim-held-model"
"""Initial metadata in which our own worker says what it held when a load began."""

RECALLED_BLOCKS = "sim-recalled-blocks"
"""Initial metadata in which our own worker says how many blocks of a request's prompt it had cached."""

LARGEST_MESSAGE_BYTES = 50 * 1024 * 1024

CHANNEL_OPTIONS: Sequence[tuple[str, int]] = (
    ("grpc.max_send_message_length", LARGEST_MESSAGE_BYTES),
    ("grpc.max_receive_message_length", LARGEST_MESSAGE_BYTES),
    # A router talks to its own machines, whatever proxy the environment names for the rest of the world.
    ("grpc.enable_http_proxy", 0),
    # Else a new channel would inherit the back-off of the one it replaces.
    ("grpc.use_local_subchannel_pool", 1),
)

_BY_CODE: dict[grpc.StatusCode, type[CallError]] = {
    grpc.StatusCode.DEADLINE_EXCEEDED: DeadlineExceeded,
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    # Not by us: our own cancellation never comes back as a status.
    grpc.StatusCode.CANCELLED: Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: Busy,
    grpc.StatusCode.FAILED_PRECONDITION: ModelNotLoaded,
}


def call_error(code: grpc.StatusCode, details: str) -> CallError:
    """Return the routing code's error for a status: by its text where backends agree on one, else by its code."""
    text = details.lower()
    if "model not loaded" in text:
        return ModelNotLoaded(details)
    if code is grpc.StatusCode.NOT_FOUND and "model identity mismatch" in text:
        return WrongModel(details)
    return _BY_CODE.get(code, CallError)(f"{code.name}: {details}")


def filler_prompt(request: Request) -> str:
    """Return text of about as many tokens as the request's prompt, at least one."""
    return " ".join(["word"] * max(1, request.prompt_tokens))


def ignore_reply(_request: Request, _reply: Reply) -> None:
    """Take no notice of what a backend says."""


@asynccontextmanager
async def under_way(call: AnyCall) -> AsyncIterator[AnyCall]:
    """Await the call's parts in here: errors come out as the routing code's, and a call that is left is cancelled."""
    try:
        yield call
    except grpc.aio.AioRpcError as error:
        raise call_error(error.code(), error.details() or "") from error
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        # Nobody cancelled us: the channel was closed under the call.
        raise Unavailable("the connection was closed") from error
    finally:
        call.cancel()


class GrpcBackend:
    """A client bound to one address."""

    __slots__ = ("_address", "_dialer", "_key", "_metadata")

    def __init__(self, dialer: "GrpcDialer", key: ReplicaKey, address: str) -> None:
        self._dialer = dialer
        self._key = key
        self._address = address
        self._metadata = dialer.metadata

    async def health(self) -> None:
        """Ask whether the process is well; Unwell if it answers anything but OK."""
        async with under_way(self._stub().Health(HealthMessage(), metadata=self._metadata)) as call:
            reply = await call
        if reply.message != b"OK":
            raise Unwell(f"{self._address} answers {reply.message!r} to a health call, not OK")

    async def predict(self, request: Request) -> None:
        """Have the request served to its last token, and tell the journal of the first one when it comes.

        A first reply that reports time spent on further tokens is the whole answer: it does not tell the first token
        from the last, so nothing is said of it.
        """
        is_first = True
        async with under_way(self._stub().PredictStream(self._options(request), metadata=self._metadata)) as call:
            told = await call.initial_metadata()
            if not call.done() or await call.code() is grpc.StatusCode.OK:
                self._dialer.journal.served_from(request)
                recalled = dict(told or ()).get(RECALLED_BLOCKS)
                if recalled is not None:
                    self._dialer.journal.recalled(request, int(recalled))
            async for reply in call:
                if is_first and not reply.timing_token_generation:
                    self._dialer.journal.first_token(request)
                is_first = False
                self._dialer.on_reply(request, reply)

    async def load_model(self, model: str) -> None:
        """Load the model. The load starts when the process gets to it, or when the caller gives up before."""
        async with under_way(self._stub().LoadModel(ModelOptions(Model=model), metadata=self._metadata)) as call:
            try:
                told = await call.initial_metadata()
            except asyncio.CancelledError:
                self._dialer.journal.load_started(self._key, redundant=False)
                raise
            if not call.done() or await call.code() is not grpc.StatusCode.UNAVAILABLE:
                held = dict(told or ()).get(HELD_MODEL)
                self._dialer.journal.load_started(self._key, redundant=held == model)
            result = await call
        if not result.success:
            raise call_error(grpc.StatusCode.UNKNOWN, f"{self._address} did not load {model}: {result.message}")

    async def free(self) -> None:
        """Make the process drop its model."""
        async with under_way(self._stub().Free(HealthMessage(), metadata=self._metadata)) as call:
            result = await call
        if not result.success:
            raise CallError(f"{self._address} did not free its model: {result.message}")

    async def status(self) -> str:
        """Return the process's state by name, such as READY; some of LocalAI's backends are known to mix them up."""
        async with under_way(self._stub().Status(HealthMessage(), metadata=self._metadata)) as call:
            answer = await call
        return StatusResponse.State.Name(answer.state)

    def _stub(self) -> "BackendAsyncStub":
        # Looked up at every call, because a client may live longer than a connection.
        return self._dialer.connection(self._address)

    def _options(self, request: Request) -> PredictOptions:
        blocks = {"blocks": " ".join(map(str, request.chain))} if request.chain else {}
        return PredictOptions(
            Prompt=self._dialer.prompt(request),
            Tokens=request.output_tokens,
            CorrelationId=str(request.id),
            ModelIdentity=request.model,
            Metadata={
                "demand_ns": str(request.demand_ns),
                "prompt_tokens": str(request.prompt_tokens),
                "output_tokens": str(request.output_tokens),
                **blocks,
            },
        )


class GrpcDialer:
    """Makes clients. Those of one address share one connection, which stays open until `close`."""

    def __init__(
        self,
        runtime: Runtime,
        journal: Journal,
        token: str | None = None,
        prompt: Callable[[Request], str] = filler_prompt,
        on_reply: Callable[[Request, Reply], None] = ignore_reply,
    ) -> None:
        self.runtime = runtime
        self.journal = journal
        self.prompt = prompt
        self.on_reply = on_reply
        """Receives each reply of a stream when it arrives."""
        self.metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        """What every call carries; a token is sent in the clear, so for a trusted network only."""
        self._connections: dict[str, tuple[grpc.aio.Channel, BackendAsyncStub]] = {}

    def dial(self, key: ReplicaKey, address: str) -> GrpcBackend:
        """Return a client for the process at the address; nothing is sent yet."""
        return GrpcBackend(self, key, address)

    def connection(self, address: str) -> "BackendAsyncStub":
        """Return the channel to the address, a new one if the last attempt to connect has failed."""
        known = self._connections.get(address)
        if known is not None:
            channel, stub = known
            if channel.get_state() is not grpc.ChannelConnectivity.TRANSIENT_FAILURE:
                return stub
            # This channel refuses calls until its back-off ends, though the process may be there again by now; a new
            # one tries at once. Nothing can be under way on the old one.
            self.runtime.spawn(channel.close(None), f"close {address}")
        channel = grpc.aio.insecure_channel(address, CHANNEL_OPTIONS)
        stub = BackendStub(channel)
        self._connections[address] = channel, stub
        return stub

    async def close(self) -> None:
        """Close all connections; calls under way end with Unavailable, and later ones connect again."""
        connections = list(self._connections.values())
        self._connections.clear()
        for channel, _ in connections:
            await channel.close(None)
