"""Health calls whose answer comes late."""

from abc import ABC, abstractmethod
from dataclasses import replace

from sim.routing.ports import FrontendPorts
from sim.scenario.spec.faults.probe import ProbeLateReplyFault, ProbeReplyAtDeadlineFault
from sim.simulated.faults.base import Luck, effect_of
from sim.simulated.faults.probe.deadlines import DeadlineKeeper
from sim.simulated.faults.probe.health_calls import HealthCall, ProbeFault, Spec
from sim.simulated.parts import Parts


class _Late(ProbeFault[Spec], ABC):
    """Health calls are answered late."""

    async def meet(self, call: HealthCall) -> None:
        error = await call.error()
        self.struck(str(call.key))
        await self.parts.runtime.sleep(self.delay_ns())
        if error is not None:
            raise error

    @abstractmethod
    def delay_ns(self) -> int:
        """Return by how much the answer is late."""


@effect_of(ProbeLateReplyFault)
class ProbeLateReply(_Late[ProbeLateReplyFault]):
    """Health calls are answered late by a constant time."""

    def delay_ns(self) -> int:
        return self.spec.delay_ns


@effect_of(ProbeReplyAtDeadlineFault)
class ProbeReplyAtDeadline(_Late[ProbeReplyAtDeadlineFault]):
    """Health calls are answered just before, at, or just after their deadline."""

    def __init__(self, spec: ProbeReplyAtDeadlineFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._deadlines = DeadlineKeeper(parts.runtime)

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Put the fault before every health call, and learn the deadline of each."""
        return super().around(frontend, replace(ports, runtime=self._deadlines.around(ports.runtime)))

    def delay_ns(self) -> int:
        """Return the time to the deadline plus the offset; 0 for a call without a deadline."""
        deadline_ns = self._deadlines.deadline_ns()
        if deadline_ns is None:
            return 0
        return max(0, deadline_ns + self.spec.offset_ns - self.parts.runtime.now_ns())
