"""Faults of health calls, whoever makes them: requests or loops."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from sim.routing.clients import Serve
from sim.routing.errors import CallError, Unavailable
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.scenario.spec.faults.base import RateFault
from sim.scenario.spec.faults.probe import (
    ProbeCallersLeaveFault,
    ProbeErrorFault,
    ProbeFalseNegativeFault,
    ProbeFalsePositiveFault,
    ProbeFault,
    ProbeFlappingFault,
    ProbeLateReplyFault,
    ProbeLeaderLeavesFault,
    ProbeReplyAtDeadlineFault,
    ProbeTimeoutFault,
)
from sim.simulated.faults.base import Fault, Luck, Window
from sim.simulated.faults.deadlines import DeadlineKeeper
from sim.simulated.faults.interposed import InterposedDialer, interposed_registry
from sim.simulated.faults.network.on_the_way import never
from sim.simulated.stage import Stage

Spec = TypeVar("Spec", bound=ProbeFault)


@dataclass(frozen=True, slots=True)
class HealthCall:
    """A health call on its way to a process."""

    frontend: int
    key: ReplicaKey
    address: str
    make: MadeCall

    async def error(self) -> CallError | None:
        """Make the call; return how it failed, or None if the process is well."""
        try:
            await self.make()
        except CallError as error:
            return error
        return None


class _OfProbes(Fault, ABC, Generic[Spec]):
    """Meets the health calls that its window, its node and its rate let it."""

    stage: Stage

    def __init__(self, spec: Spec, luck: Luck) -> None:
        self._spec = spec
        self._luck = luck
        self._window = Window(spec.at_ns, spec.lasts_ns)
        self._rate = spec.rate if isinstance(spec, RateFault) else 1.0

    async def happen(self, stage: Stage) -> None:
        """Get to know the world; the run begins with this."""
        self.stage = stage

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Put the fault before every health call of the frontend."""

        async def around(key: ReplicaKey, address: str, method: str, call: MadeCall) -> Any:
            if method != "health" or not self._hits(key):
                return await call()
            return await self.meet(HealthCall(frontend, key, address, call))

        return replace(ports, dialer=InterposedDialer(ports.dialer, around))

    @abstractmethod
    async def meet(self, call: HealthCall) -> None:
        """Answer the call, with what the process says or otherwise."""

    def struck(self, call: HealthCall) -> None:
        """Note that the call was not answered as it would have been."""
        self.stage.journal.fault_struck(self._spec.kind, str(call.key))

    def _hits(self, key: ReplicaKey) -> bool:
        return (
            self._window.holds(self.stage.runtime.now_ns())
            and self._spec.node in (None, key.node)
            and self._luck.strikes(self._rate)
        )


class ProbeTimeout(_OfProbes[ProbeTimeoutFault]):
    """There is no answer."""

    async def meet(self, call: HealthCall) -> None:
        """Wait until the caller has had enough."""
        self.struck(call)
        await never(self.stage.runtime)


class ProbeError(_OfProbes[ProbeErrorFault]):
    """The call breaks before it reaches anybody."""

    async def meet(self, call: HealthCall) -> None:
        """Raise an error that says nothing of the process."""
        self.struck(call)
        raise CallError(f"the health call to {call.address} broke off")


class ProbeFalseNegative(_OfProbes[ProbeFalseNegativeFault]):
    """A process that is well is said to be unavailable."""

    async def meet(self, call: HealthCall) -> None:
        """Turn a good answer into a bad one."""
        await call.make()
        self.struck(call)
        raise Unavailable(f"nobody answers at {call.address}, or so it seems")


class ProbeFalsePositive(_OfProbes[ProbeFalsePositiveFault]):
    """A process that is not well, or not there, is said to be well."""

    async def meet(self, call: HealthCall) -> None:
        """Turn a bad answer into a good one."""
        if await call.error() is not None:
            self.struck(call)


class ProbeFlapping(_OfProbes[ProbeFlappingFault]):
    """The first half of each period all calls fail, the second half none does."""

    async def meet(self, call: HealthCall) -> None:
        """Fail, or do not, by the clock."""
        period_ns = self._spec.period_ns
        if (self.stage.runtime.now_ns() - self._spec.at_ns) % period_ns < period_ns // 2:
            self.struck(call)
            raise Unavailable(f"nobody answers at {call.address} for the moment")
        await call.make()


class _Late(_OfProbes[Spec], ABC):
    """Answers come later than they would."""

    async def meet(self, call: HealthCall) -> None:
        """Keep the answer back for a while, good or bad."""
        error = await call.error()
        self.struck(call)
        await self.stage.runtime.sleep(self.delay_ns())
        if error is not None:
            raise error

    @abstractmethod
    def delay_ns(self) -> int:
        """Return for how long."""


class ProbeLateReply(_Late[ProbeLateReplyFault]):
    """Answers come so much later."""

    def delay_ns(self) -> int:
        """Return the same for each."""
        return self._spec.delay_ns


class ProbeReplyAtDeadline(_Late[ProbeReplyAtDeadlineFault]):
    """Answers come around the very instant from which on they are too late."""

    def __init__(self, spec: ProbeReplyAtDeadlineFault, luck: Luck) -> None:
        super().__init__(spec, luck)
        self._deadlines = DeadlineKeeper(lambda: self.stage.runtime.running_task())

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Put the fault before every health call, and note until when each may take."""
        return super().around(frontend, replace(ports, runtime=self._deadlines.around(ports.runtime)))

    def delay_ns(self) -> int:
        """Return what is left until then, give or take the offset; nothing for a call that nobody limits."""
        deadline_ns = self._deadlines.deadline_ns()
        if deadline_ns is None:
            return 0
        return max(0, deadline_ns + self._spec.offset_ns - self.stage.runtime.now_ns())


_asker: ContextVar[Request | None] = ContextVar("the request for whose sake something is done", default=None)


class _ClientsLeave(_OfProbes[Spec], ABC):
    """Clients leave at the moment at which the answer to a probe is about to arrive."""

    def around_serve(self, frontend: int, serve: Serve) -> Serve:
        """Serve each request in a task of its own, so that whatever is done for it is known to be."""

        async def serve_marked(request: Request) -> None:
            ended = self.stage.runtime.future()
            token = _asker.set(request)
            task = self.stage.runtime.spawn(serve(request), "marked request", ended)
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
        """Have clients leave; the answer reaches whoever else waits for it, if the probe outlives its caller."""
        error = await call.error()
        await self.stage.runtime.sleep(0)  # The asker may not have come to its wait yet.
        asker = _asker.get()
        leaving = [] if asker is None else self.leaving(call, asker)
        if leaving:
            self.struck(call)
        for request in leaving:
            self.stage.frontends[call.frontend].leave(request)
        if error is not None:
            raise error

    @abstractmethod
    def leaving(self, call: HealthCall, asker: Request) -> list[Request]:
        """Return whose clients leave, of a probe that this request has begun, which may have left by itself."""

    def forget(self, request: Request) -> None:
        """Note that the request has ended."""


class ProbeLeaderLeaves(_ClientsLeave[ProbeLeaderLeavesFault]):
    """The one client leaves whose request has begun the probe."""

    def leaving(self, call: HealthCall, asker: Request) -> list[Request]:
        """Return just that one."""
        return [asker] if self.stage.progress.step(asker) else []


class ProbeCallersLeave(_ClientsLeave[ProbeCallersLeaveFault]):
    """All clients leave whose requests wait for the probe."""

    def __init__(self, spec: ProbeCallersLeaveFault, luck: Luck) -> None:
        super().__init__(spec, luck)
        self._picked: dict[int, tuple[Request, int, str]] = {}
        """The last pick of each request: with the frontend and the address that it led to; by number."""

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Put the fault before every health call, and note to where each pick leads."""

        async def around(method: str, call: MadeCall) -> Any:
            answer, asker = await call(), _asker.get()
            if method == "pick" and asker is not None and answer is not None:
                self._picked[asker.id] = (asker, frontend, answer.address)
            return answer

        registry = interposed_registry(ports.runtime, ports.registry, around)
        return super().around(frontend, replace(ports, registry=registry))

    def leaving(self, call: HealthCall, asker: Request) -> list[Request]:
        """Return the asker last: the others are to hear nothing of what becomes of the probe when it leaves."""
        others = [
            request
            for request, frontend, address in self._picked.values()
            if (frontend, address) == (call.frontend, call.address)
            and request is not asker
            and self.stage.progress.step(request) == "during_probe"
        ]
        return [*others, *([asker] if self.stage.progress.step(asker) else [])]

    def forget(self, request: Request) -> None:
        """Let go of its last pick."""
        self._picked.pop(request.id, None)


FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {
    ProbeTimeoutFault: ProbeTimeout,
    ProbeReplyAtDeadlineFault: ProbeReplyAtDeadline,
    ProbeLateReplyFault: ProbeLateReply,
    ProbeFalseNegativeFault: ProbeFalseNegative,
    ProbeFalsePositiveFault: ProbeFalsePositive,
    ProbeErrorFault: ProbeError,
    ProbeLeaderLeavesFault: ProbeLeaderLeaves,
    ProbeCallersLeaveFault: ProbeCallersLeave,
    ProbeFlappingFault: ProbeFlapping,
}
"""What makes each kind of spec into a fault, by the spec's class."""
