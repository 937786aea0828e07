"""The backend that a worker process serves: it takes as long as the scenario says, and misbehaves on order.

Every call takes a thread of the server's pool and keeps it to its end, as on a Python backend of LocalAI.
"""

import hmac
import time
from collections.abc import Callable, Iterator
from threading import Event, Lock
from typing import Any

import grpc

from sim.live.nodes.backend import HELD_MODEL, RECALLED_BLOCKS
from sim.live.nodes.worker_spec import WorkerSpec
from sim.live.proto.backend_pb2 import (
    HealthMessage,
    MemoryUsageData,
    ModelOptions,
    PredictOptions,
    Reply,
    Result,
    StatusResponse,
)
from sim.live.proto.backend_pb2_grpc import BackendServicer
from sim.prompt_cache import PromptCache, rest_of
from sim.routing.request import Chain
from sim.routing.units import NS_PER_S

MS_PER_S = 1_000


class BackendService(BackendServicer):
    """One backend process: the model it holds, if any, and how long its work takes."""

    def __init__(self, spec: WorkerSpec, on_hold: Callable[[str | None], None]) -> None:
        self._spec = spec
        self._on_hold = on_hold
        self._model: str | None = None
        self._hangs = False
        self._prompts = PromptCache(spec.prompt_cache_blocks)
        self._prompts_lock = Lock()

    def hold(self, model: str | None) -> None:
        """Hold this model, or none, from now on. What was cached of prompts is gone with the last one."""
        self._model = model
        with self._prompts_lock:
            self._prompts.clear()
        self._on_hold(model)

    def hang(self) -> None:
        """Stop answering, running calls included."""
        self._hangs = True

    def Health(self, request: HealthMessage, context: grpc.ServicerContext) -> Reply:  # noqa: N802
        """Answer that the process is healthy, when it is this call's turn."""
        self._pass(0, context)
        return Reply(message=b"OK")

    def Predict(self, request: PredictOptions, context: grpc.ServicerContext) -> Reply:  # noqa: N802
        """Serve the request, and answer when it is done."""
        return list(self.PredictStream(request, context))[-1]

    def PredictStream(self, request: PredictOptions, context: grpc.ServicerContext) -> Iterator[Reply]:  # noqa: N802
        """Serve the request: a reply after prefill, if the service has one, and the last after decode."""
        self._pass(0, context)
        self._check_model(request.ModelIdentity, context)
        prompt_tokens, output_tokens, demand_ns, chain = _demand(request, context)
        prefill_ns, decode_ns = self._spec.service_ns(prompt_tokens, output_tokens, demand_ns)
        cached_blocks = self._recall(chain)
        # Sent at once, so that the caller knows that its service has begun.
        context.send_initial_metadata(() if cached_blocks is None else ((RECALLED_BLOCKS, str(cached_blocks)),))
        if cached_blocks is not None:
            prefill_ns = rest_of(prefill_ns, chain, cached_blocks)
        begin_s = time.monotonic()
        if self._spec.has_prefill:
            self._pass_until(begin_s, prefill_ns, context)
            self._keep(chain)
            yield Reply(message=b"first", prompt_tokens=prompt_tokens, tokens=min(1, output_tokens))
        self._pass_until(begin_s, prefill_ns + decode_ns, context)
        yield Reply(
            message=b"last",
            prompt_tokens=prompt_tokens,
            tokens=output_tokens,
            timing_prompt_processing=prefill_ns * MS_PER_S / NS_PER_S,
            timing_token_generation=decode_ns * MS_PER_S / NS_PER_S,
        )

    def LoadModel(self, request: ModelOptions, context: grpc.ServicerContext) -> Result:  # noqa: N802
        """Load the model, whether it is held already or not; the caller learns at once what was held before."""
        self._pass(0, context)
        context.send_initial_metadata(((HELD_MODEL, self._model or ""),))
        self._pass(self._spec.load_time_ns, context)
        self.hold(request.Model)
        return Result(message="Model loaded", success=True)

    def Free(self, request: HealthMessage, context: grpc.ServicerContext) -> Result:  # noqa: N802
        """Drop the model."""
        self._pass(0, context)
        self.hold(None)
        return Result(message="Model freed", success=True)

    def Status(self, request: HealthMessage, context: grpc.ServicerContext) -> StatusResponse:  # noqa: N802
        """Tell whether a model is held, and the memory that it takes."""
        self._pass(0, context)
        if self._model is None:
            return StatusResponse(state=StatusResponse.UNINITIALIZED)
        held = MemoryUsageData(total=self._spec.vram_bytes)
        return StatusResponse(state=StatusResponse.READY, memory=held)

    def _recall(self, chain: Chain) -> int | None:
        """Return how many leading blocks are cached; None without a cache, or if nothing is known of the prompt."""
        if not (chain and self._spec.prompt_cache_blocks):
            return None
        with self._prompts_lock:
            return self._prompts.leading(chain)

    def _keep(self, chain: Chain) -> None:
        with self._prompts_lock:
            self._prompts.keep(chain)

    def _check_model(self, asked_for: str, context: grpc.ServicerContext) -> None:
        if self._model is None:
            context.abort(grpc.StatusCode.FAILED_PRECONDITION, "model not loaded")
        if self._model and asked_for and self._model != asked_for:
            text = f"model identity mismatch: {self._model} is loaded, not {asked_for}"
            context.abort(grpc.StatusCode.NOT_FOUND, text)

    def _pass(self, delay_ns: int, context: grpc.ServicerContext) -> None:
        self._pass_until(time.monotonic(), delay_ns, context)

    def _pass_until(self, begin_s: float, delay_ns: int, context: grpc.ServicerContext) -> None:
        """Wait until `delay_ns` of scenario time have passed. A caller that leaves frees the thread at once."""
        gone = Event()
        if not context.add_callback(gone.set):
            gone.set()
        left_s = begin_s + delay_ns * self._spec.time_scale / NS_PER_S - time.monotonic()
        if not gone.wait(max(0.0, left_s)) and self._hangs:
            gone.wait()
        if gone.is_set():
            context.abort(grpc.StatusCode.CANCELLED, "the caller has left")


class BearerToken(grpc.ServerInterceptor):  # type: ignore[type-arg]
    """Refuses every call that does not carry the token."""

    def __init__(self, token: str) -> None:
        self._expected = f"Bearer {token}".encode()

    def intercept_service(
        self,
        continuation: "Callable[[grpc.HandlerCallDetails], grpc.RpcMethodHandler[Any, Any] | None]",
        handler_call_details: grpc.HandlerCallDetails,
    ) -> "grpc.RpcMethodHandler[Any, Any] | None":
        """Let the call through, or have it refused."""
        metadata = dict(handler_call_details.invocation_metadata)
        carried = str(metadata.get("authorization", "")).encode()
        if hmac.compare_digest(carried, self._expected):
            return continuation(handler_call_details)
        return grpc.unary_unary_rpc_method_handler(_refuse)


def _refuse(_request: Any, context: grpc.ServicerContext) -> None:
    context.abort(grpc.StatusCode.UNAUTHENTICATED, "the call carries no valid token")


def _demand(request: PredictOptions, context: grpc.ServicerContext) -> tuple[int, int, int, Chain]:
    """Return prompt tokens, output tokens, demand_ns and blocks of the request; 0, and none, where it gives none."""
    given = request.Metadata
    try:
        return (
            int(given.get("prompt_tokens", "0")),
            int(given.get("output_tokens", "0")),
            int(given.get("demand_ns", "0")),
            tuple(map(int, given.get("blocks", "").split())),
        )
    except ValueError as error:
        context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"Metadata: {error}")
        raise
