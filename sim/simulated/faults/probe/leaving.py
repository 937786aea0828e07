"""Clients that leave when the answer to a health call is about to arrive."""

from abc import ABC, abstractmethod
from contextvars import ContextVar
from dataclasses import replace
from typing import Any

from sim.routing.clients import Serve
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall
from sim.routing.request import Request
from sim.scenario.spec.faults.probe import ProbeCallersLeaveFault, ProbeLeaderLeavesFault
from sim.simulated.faults.base import Luck, effect_of
from sim.simulated.faults.interposed import interposed_registry
from sim.simulated.faults.probe.health_calls import HealthCall, ProbeFault, Spec
from sim.simulated.parts import Parts

_asker: ContextVar[Request | None] = ContextVar("the request for whose sake something is done", default=None)


class _ClientsLeave(ProbeFault[Spec], ABC):
    """A fault that makes clients leave when the answer to a probe is about to arrive."""

    def around_serve(self, frontend: int, serve: Serve) -> Serve:
        """Serve each request in a task of its own, whose context says for which request something is done."""

        async def serve_marked(request: Request) -> None:
            ended = self.parts.runtime.future()
            token = _asker.set(request)
            task = self.parts.runtime.spawn(serve(request), "marked request", ended)
            _asker.reset(token)
            try:
                await ended
            except BaseException:
                task.cancel()
                raise
            finally:
                self.forget(request)
            task.result()

        return serve_marked

    async def meet(self, call: HealthCall) -> None:
        """Make clients leave. The answer reaches the others that wait for it, if the probe outlives its caller."""
        error = await call.error()
        await self.parts.runtime.sleep(0)  # The asker may not have come to its wait yet.
        asker = _asker.get()
        leaving = [] if asker is None else self.leaving(call, asker)
        if leaving:
            self.struck(str(call.key))
        for request in leaving:
            self.parts.frontends[call.frontend].leave(request)
        if error is not None:
            raise error

    @abstractmethod
    def leaving(self, call: HealthCall, asker: Request) -> list[Request]:
        """Return the requests whose clients leave. The asker, which began the probe, may have left already."""

    def forget(self, request: Request) -> None:
        """Hear that the request has ended."""


@effect_of(ProbeLeaderLeavesFault)
class ProbeLeaderLeaves(_ClientsLeave[ProbeLeaderLeavesFault]):
    """The client leaves whose request began the probe."""

    def leaving(self, call: HealthCall, asker: Request) -> list[Request]:
        return [asker] if self.parts.progress.step(asker) else []


@effect_of(ProbeCallersLeaveFault)
class ProbeCallersLeave(_ClientsLeave[ProbeCallersLeaveFault]):
    """Every client leaves whose request waits for the probe."""

    def __init__(self, spec: ProbeCallersLeaveFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._picked: dict[int, tuple[Request, int, str]] = {}
        """The last pick of each request, by its number: the request, the frontend and the address picked."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Put the fault before every health call, and learn the address of each pick."""

        async def around(method: str, call: MadeCall) -> Any:
            answer, asker = await call(), _asker.get()
            if method == "pick" and asker is not None and answer is not None:
                self._picked[asker.id] = (asker, frontend, answer.address)
            return answer

        registry = interposed_registry(ports.runtime, ports.registry, around, self.parts.database.table.leak)
        return super().around(frontend, replace(ports, registry=registry))

    def leaving(self, call: HealthCall, asker: Request) -> list[Request]:
        """Return the asker last: the others must not hear what becomes of the probe when the asker leaves."""
        others = [
            request
            for request, frontend, address in self._picked.values()
            if (frontend, address) == (call.frontend, call.address)
            and request is not asker
            and self.parts.progress.step(request) == "during_probe"
        ]
        return [*others, *([asker] if self.parts.progress.step(asker) else [])]

    def forget(self, request: Request) -> None:
        self._picked.pop(request.id, None)
