"""First come, first served, and what has begun is served to its end, even if its caller has left."""

from sim.routing.errors import CallError
from sim.routing.request import Request
from sim.routing.request_path.outlasting import outlasting
from sim.simulated.engines.fifo import FifoEngine
from sim.simulated.engines.port import EngineSettings, Service
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.work_speed import WorkSpeed


class FifoToEndEngine(FifoEngine):
    """A server whose handlers do not look whether their client is still there, as in a plain synchronous backend.

    A caller that leaves the queue takes its call along. One that leaves later frees no worker.
    """

    __slots__ = ("_runtime",)

    def __init__(self, runtime: SimulatedRuntime, settings: EngineSettings, speed: WorkSpeed) -> None:
        super().__init__(runtime, settings, speed)
        self._runtime = runtime

    async def predict(self, request: Request, service: Service) -> None:
        """Take a worker for prefill and decode; nothing is told of what it does after the caller has left."""
        await self._workers.acquire()
        try:
            service.begins(request)
        except BaseException:
            self._workers.release()
            raise
        awaited = _WhileAwaited(service)
        try:
            await outlasting(self._runtime, self._work(request, awaited))
        except CallError:
            awaited.ends(request)
            raise
        finally:
            awaited.is_awaited = False

    async def _work(self, request: Request, service: "_WhileAwaited") -> None:
        try:
            prefill_ns, decode_ns = self._service_law(request.prompt_tokens, request.output_tokens, request.demand_ns)
            if self._has_prefill:
                await self._speed.work(prefill_ns)
                service.first_token(request)
            await self._speed.work(decode_ns)
            service.ends(request)
        finally:
            self._workers.release()


class _WhileAwaited:
    """Tells of a request as long as somebody waits for it."""

    def __init__(self, service: Service) -> None:
        self.is_awaited = True
        self._service = service

    def first_token(self, request: Request) -> None:
        if self.is_awaited:
            self._service.first_token(request)

    def ends(self, request: Request) -> None:
        if self.is_awaited:
            self._service.ends(request)
