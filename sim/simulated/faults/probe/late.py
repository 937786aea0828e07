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
    """Answers come later than they would."""

    async def meet(self, call: HealthCall) -> None:
        """Keep the answer back for a while, good or bad."""
        error = await call.error()
        self.struck(str(call.key))
        await self.parts.runtime.sleep(self.delay_ns())
        if error is not None:
            raise error

    @abstractmethod
    def delay_ns(self) -> int:
        """Return for how long."""


@effect_of(ProbeLateReplyFault)
class ProbeLateReply(_Late[ProbeLateReplyFault]):
    """Answers come so much later."""

    def delay_ns(self) -> int:
        """Return the same for each."""
        return self.spec.delay_ns


@effect_of(ProbeReplyAtDeadlineFault)
class ProbeReplyAtDeadline(_Late[ProbeReplyAtDeadlineFault]):
    """Answers come around the very instant from which on they are too late."""

    def __init__(self, spec: ProbeReplyAtDeadlineFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._deadlines = DeadlineKeeper(parts.runtime.running_task)

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        """Put the fault before every health call, and note until when each may take."""
        return super().around(frontend, replace(ports, runtime=self._deadlines.around(ports.runtime)))

    def delay_ns(self) -> int:
        """Return what is left until then, give or take the offset; nothing for a call that nobody limits."""
        deadline_ns = self._deadlines.deadline_ns()
        if deadline_ns is None:
            return 0
        return max(0, deadline_ns + self.spec.offset_ns - self.parts.runtime.now_ns())
