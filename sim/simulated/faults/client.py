"""Faults of family client: clients that leave, that send again, that read slowly, or that come all at once."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import replace
from math import ceil
from typing import Any

from sim.routing.clients import Serve
from sim.routing.outcomes import Outcome
from sim.routing.ports import Backend, Dialer, FrontendPorts, Journal
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.units import NS_PER_S
from sim.scenario import Scenario
from sim.scenario.spec.faults.client import (
    ClientBurstFault,
    ClientDeadlineFault,
    ClientLeavesFault,
    RetryStormFault,
    SlowReaderFault,
)
from sim.scenario.spec.service import token_rates
from sim.simulated.faults.base import Fault, Luck, Window
from sim.simulated.progress import Step
from sim.simulated.stage import Stage


class _OfClients(Fault):
    """A fault of some of the requests: those of one source, or of all, that come along while it holds."""

    def __init__(self, kind: str, source: int | None, at_ns: int, lasts_ns: int | None) -> None:
        self._kind = kind
        self._source = source
        self._window = Window(at_ns, lasts_ns)

    def _may_hit(self, request: Request, now_ns: int) -> bool:
        return self._source in (None, request.source) and self._window.holds(now_ns)

    def _strike(self, journal: Journal, request: Request) -> None:
        journal.fault_struck(self._kind, f"source {request.source}")


class _Impatient(_OfClients, ABC):
    """Clients some of whom leave at a time of their own."""

    _stage: Stage

    def __init__(self, spec: ClientLeavesFault | ClientDeadlineFault, luck: Luck) -> None:
        super().__init__(spec.kind, spec.source, spec.at_ns, spec.lasts_ns)
        self._rate = spec.rate
        self._luck = luck

    async def happen(self, stage: Stage) -> None:
        """Follow the requests from now on."""
        self._stage = stage
        stage.progress.on_step.append(self._follow)

    @abstractmethod
    def _follow(self, request: Request, step: Step) -> None:
        """Hear that a request has come so far."""

    def _hits(self, request: Request) -> bool:
        return self._may_hit(request, self._stage.runtime.now_ns()) and self._luck.strikes(self._rate)

    async def _leave(self, request: Request, after_ns: int, step: Step | None = None) -> None:
        """Have the client leave after that time, if its request is under way then, at that step if one is given."""
        await self._stage.runtime.sleep(after_ns)
        is_there = step is None or self._stage.progress.step(request) == step
        if is_there and self._stage.frontends[request.frontend].leave(request):
            self._strike(self._stage.journal, request)


class _ClientLeaves(_Impatient):
    """Leaves at a step of the request; at no time after its arrival, before the frontend has seen the request."""

    def __init__(self, spec: ClientLeavesFault, luck: Luck) -> None:
        super().__init__(spec, luck)
        self._step: Step = spec.stage
        self._after_ns = spec.after_ns
        self._is_gone_at_once = spec.stage == "before_pick" and not spec.after_ns

    def around_serve(self, frontend: int, serve: Serve) -> Serve:
        """Return a way to the frontend that some clients turn away from."""
        return self._turning_away(serve) if self._is_gone_at_once else serve

    def _turning_away(self, serve: Serve) -> Serve:
        async def serve_unless_gone(request: Request) -> None:
            if not self._hits(request):
                return await serve(request)
            self._stage.journal.ended(request, Outcome.CANCELLED, "client_left")
            return self._strike(self._stage.journal, request)

        return serve_unless_gone

    def _follow(self, request: Request, step: Step) -> None:
        if step == self._step and not self._is_gone_at_once and self._hits(request):
            self._stage.runtime.spawn_background(self._leave(request, self._after_ns, step), "client leaves")


class _ClientDeadline(_Impatient):
    """Leaves when the time that it has for the answer is over."""

    def __init__(self, spec: ClientDeadlineFault, luck: Luck) -> None:
        super().__init__(spec, luck)
        self._deadline_ns = spec.deadline_ns

    def _follow(self, request: Request, step: Step) -> None:
        if step == "before_pick" and self._hits(request):
            self._stage.runtime.spawn_background(self._leave(request, self._deadline_ns), "deadline")


class _RetryStorm(_OfClients):
    """Sends what has failed or was turned away again, as a request of its own."""

    _stage: Stage

    def __init__(self, spec: RetryStormFault, _luck: Luck) -> None:
        super().__init__(spec.kind, spec.source, spec.at_ns, spec.lasts_ns)
        self._retries = spec.retries
        self._delay_ns = spec.delay_ns
        self._retries_before: dict[int, int] = {}
        """By number of a request under way that is a retry itself, which one it is."""

    async def happen(self, stage: Stage) -> None:
        """Follow the requests from now on."""
        self._stage = stage
        stage.progress.on_end.append(self._follow)

    def _follow(self, request: Request, outcome: Outcome) -> None:
        retries = self._retries_before.pop(request.id, 0)
        if outcome not in (Outcome.FAILED, Outcome.REJECTED) or retries >= self._retries:
            return
        if self._may_hit(request, self._stage.runtime.now_ns()):
            self._stage.runtime.spawn_foreground(self._send_again(request, retries + 1), "retry")

    async def _send_again(self, request: Request, retries: int) -> None:
        await self._stage.runtime.sleep(self._delay_ns)
        number, call = self._stage.clients.send_now(
            request.model,
            request.frontend,
            request.source,
            request.prompt_tokens,
            request.output_tokens,
            request.demand_ns,
            request.patience_ns,
        )
        self._retries_before[number] = retries
        self._strike(self._stage.journal, request)
        await call


class _SlowReader(_OfClients):
    """Has some calls hold their worker for longer, as they cannot be rid of what they make."""

    def __init__(self, spec: SlowReaderFault, luck: Luck) -> None:
        super().__init__(spec.kind, spec.source, spec.at_ns, spec.lasts_ns)
        self._rate = spec.rate
        self._factor = spec.factor
        self._luck = luck

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Return ports on which an answer takes longer than it should."""

        def as_read(request: Request) -> Request:
            if not self._may_hit(request, ports.runtime.now_ns()) or not self._luck.strikes(self._rate):
                return request
            self._strike(ports.journal, request)
            return replace(
                request,
                output_tokens=ceil(request.output_tokens * self._factor),
                demand_ns=ceil(request.demand_ns * self._factor),
            )

        return replace(ports, dialer=_AlteringDialer(ports.dialer, as_read))


class _AlteringDialer:
    """Makes clients that ask for something else than they were told to."""

    def __init__(self, dialer: Dialer, alter: Callable[[Request], Request]) -> None:
        self._dialer = dialer
        self._alter = alter

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        """Return a client for the process at the address."""
        return _AlteringBackend(self._dialer.dial(key, address), self._alter)


class _AlteringBackend:
    def __init__(self, backend: Backend, alter: Callable[[Request], Request]) -> None:
        self.health = backend.health
        self.load_model = backend.load_model
        self._backend = backend
        self._alter = alter

    async def predict(self, request: Request) -> None:
        await self._backend.predict(self._alter(request))


class _ClientBurst(Fault):
    """Sends many requests at once, to each frontend in turn; they belong to no workload and wait for ever."""

    def __init__(self, spec: ClientBurstFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Send them when their time has come."""
        spec, scenario = self._spec, stage.scenario
        output_tokens, demand_ns = _size(scenario, spec.model, spec.demand_ns)
        await stage.runtime.sleep(spec.at_ns)
        stage.journal.fault_struck(spec.kind, spec.model)
        for number in range(spec.requests):
            _, call = stage.clients.send_now(
                spec.model,
                number % scenario.frontends,
                source=len(scenario.workload),
                output_tokens=output_tokens,
                demand_ns=demand_ns,
            )
            stage.runtime.spawn_foreground(call, "request")


def _size(scenario: Scenario, model: str, demand_ns: int) -> tuple[int, int]:
    """Return the output tokens and the demand of a request with that much work: the one or the other, by the model."""
    service = next(entry.service for entry in scenario.models if entry.name == model)
    rates = token_rates(service, scenario.nodes[0].model_copy(update={"speed": 1.0}))
    return (0, demand_ns) if rates is None else (ceil(demand_ns * rates.decode_per_s / NS_PER_S), 0)


FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {
    ClientLeavesFault: _ClientLeaves,
    RetryStormFault: _RetryStorm,
    ClientDeadlineFault: _ClientDeadline,
    SlowReaderFault: _SlowReader,
    ClientBurstFault: _ClientBurst,
}
