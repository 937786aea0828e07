"""First come, first served: a pool of workers, each of which does one thing at a time."""

from collections.abc import Callable, Coroutine
from typing import Any

from sim.prompt_cache import PromptCache, rest_of
from sim.routing.errors import CallError
from sim.routing.request import Request
from sim.simulated.engines.port import EngineSettings, Service
from sim.simulated.engines.workers import WORKERS
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.work_speed import WorkSpeed


class FifoEngine:
    """Queues calls for the workers; a call keeps its worker to its end.

    A prefill reads only what the process has not cached of the prompt, and caches all of it at its end.
    """

    __slots__ = ("_has_prefill", "_prompts", "_service_law", "_speed", "_workers")

    def __init__(self, runtime: SimulatedRuntime, settings: EngineSettings, speed: WorkSpeed) -> None:
        self._service_law = settings.service_law
        self._has_prefill = settings.has_prefill
        self._prompts = PromptCache(settings.prompt_cache_blocks) if settings.prompt_cache_blocks else None
        self._speed = speed
        self._workers = WORKERS[settings.health](runtime, settings.workers)

    async def predict(self, request: Request, service: Service) -> None:
        """Take a worker for prefill and decode."""
        workers = self._workers
        if not workers.take_if_free():
            await workers.wait()
        try:
            service.begins(request)
            prefill_ns, decode_ns = self._service_law(request.prompt_tokens, request.output_tokens, request.demand_ns)
            try:
                if self._has_prefill:
                    if self._prompts is not None and request.chain:
                        await self._prefill_rest(self._prompts, prefill_ns, request, service)
                    else:
                        await self._speed.work(prefill_ns)
                    service.first_token(request)
                await self._speed.work(decode_ns)
            except CallError:
                service.ends(request)
                raise
            service.ends(request)
        finally:
            workers.release()

    async def _prefill_rest(self, prompts: PromptCache, prefill_ns: int, request: Request, service: Service) -> None:
        cached_blocks = prompts.leading(request.chain)
        service.recalled(request, cached_blocks)
        await self._speed.work(rest_of(prefill_ns, request.chain, cached_blocks))
        prompts.keep(request.chain)

    async def health(self) -> None:
        """Wait until the workers let it be answered."""
        await self._workers.health()

    async def in_turn(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Take a worker for it."""
        await self._workers.acquire()
        if self._prompts is not None:
            self._prompts.clear()
        try:
            await work()
        finally:
            self._workers.release()

    def is_idle(self) -> bool:
        """Tell whether all workers are free and nobody waits for one."""
        return self._workers.is_idle()
