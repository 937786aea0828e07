"""Workers whose health calls do not wait behind all requests: a thread serves them and the calls to free the model."""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from threading import Condition
from typing import TYPE_CHECKING

import grpc

from sim.live.nodes.worker_service import BackendService
from sim.live.nodes.worker_spec import WorkerSpec
from sim.live.proto.backend_pb2 import HealthMessage, ModelOptions, PredictOptions, Reply, Result

if TYPE_CHECKING:
    from sim.scenario.spec.engines import HealthName


class IndependentHealthService(BackendService):
    """A backend that answers health calls while it works: llama.cpp, a Go backend, or a loop that nothing blocks."""

    def Health(self, request: HealthMessage, context: grpc.ServicerContext) -> Reply:  # noqa: N802
        """Answer at once that the process is healthy."""
        return super().Health(request, context)

    def Free(self, request: HealthMessage, context: grpc.ServicerContext) -> Result:  # noqa: N802
        """Drop the model at once."""
        return super().Free(request, context)

    # gRPC serves a method that names a pool on that pool; a process serves one backend, so the class may hold it.
    Health.experimental_thread_pool = ThreadPoolExecutor(max_workers=1)  # type: ignore[attr-defined]
    Free.experimental_thread_pool = Health.experimental_thread_pool  # type: ignore[attr-defined]


class EventLoopService(BackendService):
    """An asynchronous backend whose event loop each call blocks: between two calls it answers one health call."""

    def __init__(self, spec: WorkerSpec, on_hold: Callable[[str | None], None]) -> None:
        super().__init__(spec, on_hold)
        self._loop = BlockedLoop()

    def Health(self, request: HealthMessage, context: grpc.ServicerContext) -> Reply:  # noqa: N802
        """Answer between two calls that the process is healthy."""
        self._loop.wait_for_turn(context)
        return super().Health(request, context)

    def Free(self, request: HealthMessage, context: grpc.ServicerContext) -> Result:  # noqa: N802
        """Drop the model between two calls."""
        self._loop.wait_for_turn(context)
        return super().Free(request, context)

    # The only thread keeps a second call waiting until the first has had its turn.
    Health.experimental_thread_pool = ThreadPoolExecutor(max_workers=1)  # type: ignore[attr-defined]
    Free.experimental_thread_pool = Health.experimental_thread_pool  # type: ignore[attr-defined]

    def PredictStream(self, request: PredictOptions, context: grpc.ServicerContext) -> Iterator[Reply]:  # noqa: N802
        """Block the loop for the whole answer."""
        with self._loop.blocked():
            yield from super().PredictStream(request, context)

    def LoadModel(self, request: ModelOptions, context: grpc.ServicerContext) -> Result:  # noqa: N802
        """Block the loop for the whole load."""
        with self._loop.blocked():
            return super().LoadModel(request, context)


class BlockedLoop:
    """Which calls block a loop, one after the other, and who waits for a turn in between."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._is_blocked = False
        self._ended = 0
        """Number of calls that have blocked the loop, and no longer do."""

    @contextmanager
    def blocked(self) -> Iterator[None]:
        """Block the loop."""
        with self._changed:
            self._is_blocked = True
        try:
            yield
        finally:
            with self._changed:
                self._is_blocked = False
                self._ended += 1
                self._changed.notify_all()

    def wait_for_turn(self, context: grpc.ServicerContext) -> None:
        """Return when the call that blocks the loop has ended, or the caller has left; at once if there is none."""
        context.add_callback(self._look_again)
        with self._changed:
            ended = self._ended
            self._changed.wait_for(lambda: not self._is_blocked or self._ended > ended or not context.is_active())

    def _look_again(self) -> None:
        with self._changed:
            self._changed.notify_all()


SERVICES: "Mapping[HealthName, type[BackendService]]" = {
    "serialized": BackendService,
    "event_loop": EventLoopService,
    "independent": IndependentHealthService,
}
