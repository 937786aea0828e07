"""Faults of clients: they leave, send again, read slowly, or come all at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import replace
from math import ceil
from typing import Protocol, TypeVar

from sim.routing.clients import Serve
from sim.routing.outcomes import Outcome
from sim.routing.ports import Backend, Dialer, FrontendPorts
from sim.routing.proxy import with_calls
from sim.routing.replica import ReplicaKey
from sim.routing.request import UNSENT, Request
from sim.routing.units import NS_PER_S
from sim.scenario import Scenario
from sim.scenario.plan.dealing import frontends_of
from sim.scenario.spec.faults.client import (
    ClientBurstFault,
    ClientDeadlineFault,
    ClientLeavesFault,
    RetryStormFault,
    SlowReaderFault,
)
from sim.scenario.spec.service import token_rates
from sim.simulated.faults.base import Fault, LastingFault, LastingSpec, Luck, effect_of
from sim.simulated.parts import Parts
from sim.simulated.progress import Step


class _ClientSpec(LastingSpec, Protocol):
    @property
    def source(self) -> int | None: ...


Spec = TypeVar("Spec", bound=_ClientSpec)
Leaving = TypeVar("Leaving", bound=ClientLeavesFault | ClientDeadlineFault)


class _OfClients(LastingFault[Spec]):
    """A fault that hits requests of one source, or of all sources, while it is active."""

    def may_hit(self, request: Request) -> bool:
        return self.spec.source in (None, request.source) and self.is_active()

    def strike(self, request: Request) -> None:
        self.struck(f"source {request.source}")


class _Leaving(_OfClients[Leaving], ABC):
    """A fault that makes some clients leave before their answer."""

    def __init__(self, spec: Leaving, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        parts.progress.on_step.append(self.follow)

    @abstractmethod
    def follow(self, request: Request, step: Step) -> None:
        """Hear that the request has reached this step."""

    def hits(self, request: Request) -> bool:
        """Draw whether the request is hit. Call it once for each request."""
        return self.may_hit(request) and self.luck.strikes(self.spec.rate)

    async def leave(self, request: Request, after_ns: int, step: Step | None = None) -> None:
        """Make the client leave after this time, if its request is under way then, and at this step if one is given."""
        await self.parts.runtime.sleep(after_ns)
        is_there = step is None or self.parts.progress.step(request) == step
        if is_there and self.parts.frontends[request.frontend].leave(request):
            self.strike(request)


@effect_of(ClientLeavesFault)
class ClientLeaves(_Leaving[ClientLeavesFault]):
    """Clients leave at a step of their request. One that leaves upon arrival never reaches the frontend."""

    def around_serve(self, frontend: int, serve: Serve) -> Serve:
        return self._turning_away(serve) if self._is_gone_at_once() else serve

    def follow(self, request: Request, step: Step) -> None:
        if step == self.spec.stage and not self._is_gone_at_once() and self.hits(request):
            self.parts.runtime.spawn_background(self.leave(request, self.spec.after_ns, step), "client leaves")

    def _is_gone_at_once(self) -> bool:
        return self.spec.stage == "before_pick" and not self.spec.after_ns

    def _turning_away(self, serve: Serve) -> Serve:
        async def serve_unless_gone(request: Request) -> None:
            if not self.hits(request):
                return await serve(request)
            self.parts.journal.ended(request, Outcome.CANCELLED, "client_left")
            return self.strike(request)

        return serve_unless_gone


@effect_of(ClientDeadlineFault)
class ClientDeadline(_Leaving[ClientDeadlineFault]):
    """Clients leave when their deadline for the answer has passed."""

    def follow(self, request: Request, step: Step) -> None:
        if step == "before_pick" and self.hits(request):
            self.parts.runtime.spawn_background(self.leave(request, self.spec.deadline_ns), "deadline")


@effect_of(RetryStormFault)
class RetryStorm(_OfClients[RetryStormFault]):
    """Clients send a request that failed or was rejected again, as a new request."""

    def __init__(self, spec: RetryStormFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._retries_before: dict[int, int] = {}
        """For each retry under way, by request number: how many attempts went before it."""
        parts.progress.on_end.append(self._follow)

    def _follow(self, request: Request, outcome: Outcome) -> None:
        retries = self._retries_before.pop(request.id, 0)
        if outcome not in (Outcome.FAILED, Outcome.REJECTED) or retries >= self.spec.retries:
            return
        if self.may_hit(request):
            self.parts.runtime.spawn_foreground(self._send_again(request, retries + 1), "retry")

    async def _send_again(self, request: Request, retries: int) -> None:
        await self.parts.runtime.sleep(self.spec.delay_ns)
        again = replace(request)
        call = self.parts.clients.send_now(again)
        self._retries_before[again.id] = retries
        self.strike(request)
        await call


@effect_of(SlowReaderFault)
class SlowReader(_OfClients[SlowReaderFault]):
    """Some calls hold their worker for longer, because their clients read slowly."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        return replace(ports, dialer=_AlteringDialer(ports.dialer, self._as_read))

    def _as_read(self, request: Request) -> Request:
        if not self.may_hit(request) or not self.luck.strikes(self.spec.rate):
            return request
        self.strike(request)
        return replace(
            request,
            output_tokens=ceil(request.output_tokens * self.spec.factor),
            demand_ns=ceil(request.demand_ns * self.spec.factor),
        )


class _AlteringDialer:
    """Dials backends with each request altered."""

    def __init__(self, dialer: Dialer, alter: Callable[[Request], Request]) -> None:
        self._dialer = dialer
        self._alter = alter

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        backend = self._dialer.dial(key, address)

        async def predict(request: Request) -> None:
            await backend.predict(self._alter(request))

        return with_calls(backend, Backend, predict=predict)


@effect_of(ClientBurstFault)
class ClientBurst(Fault[ClientBurstFault]):
    """Many requests at once, dealt to the frontends as one more workload would be. They wait for ever."""

    async def happen(self) -> None:
        spec, runtime, scenario = self.spec, self.parts.runtime, self.parts.scenario
        source = len(scenario.workload)
        frontends = frontends_of(scenario, self.parts.plan.seed, source, spec.requests)
        output_tokens, demand_ns = _size(scenario, spec.model, spec.demand_ns)
        await runtime.sleep(spec.at_ns)
        self.struck(spec.model)
        for frontend in frontends.tolist():
            request = Request(
                UNSENT, spec.model, frontend, source, spec.at_ns, output_tokens=output_tokens, demand_ns=demand_ns
            )
            runtime.spawn_foreground(self.parts.clients.send_now(request), "request")


def _size(scenario: Scenario, model: str, demand_ns: int) -> tuple[int, int]:
    """Return output tokens and demand of a request with this much work. The model's service uses one of the two."""
    service = next(entry.service for entry in scenario.models if entry.name == model)
    rates = token_rates(service, scenario.nodes[0].model_copy(update={"speed": 1.0}))
    return (0, demand_ns) if rates is None else (ceil(demand_ns * rates.decode_per_s / NS_PER_S), 0)
