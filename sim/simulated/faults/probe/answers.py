"""Health calls without an answer, with an error, or with the wrong answer."""

from sim.routing.errors import CallError, Unavailable
from sim.scenario.spec.faults.probe import (
    ProbeErrorFault,
    ProbeFalseNegativeFault,
    ProbeFalsePositiveFault,
    ProbeFlappingFault,
    ProbeTimeoutFault,
)
from sim.simulated.faults.base import effect_of
from sim.simulated.faults.network.on_the_way import never
from sim.simulated.faults.probe.health_calls import HealthCall, ProbeFault


@effect_of(ProbeTimeoutFault)
class ProbeTimeout(ProbeFault[ProbeTimeoutFault]):
    """There is no answer."""

    async def meet(self, call: HealthCall) -> None:
        """Wait until the caller has had enough."""
        self.struck(str(call.key))
        await never(self.parts.runtime)


@effect_of(ProbeErrorFault)
class ProbeError(ProbeFault[ProbeErrorFault]):
    """The call breaks before it reaches anybody."""

    async def meet(self, call: HealthCall) -> None:
        """Raise an error that says nothing of the process."""
        self.struck(str(call.key))
        raise CallError(f"the health call to {call.address} broke off")


@effect_of(ProbeFalseNegativeFault)
class ProbeFalseNegative(ProbeFault[ProbeFalseNegativeFault]):
    """A process that is well is said to be unavailable."""

    async def meet(self, call: HealthCall) -> None:
        """Turn a good answer into a bad one."""
        await call.make()
        self.struck(str(call.key))
        raise Unavailable(f"nobody answers at {call.address}, or so it seems")


@effect_of(ProbeFalsePositiveFault)
class ProbeFalsePositive(ProbeFault[ProbeFalsePositiveFault]):
    """A process that is not well, or not there, is said to be well."""

    async def meet(self, call: HealthCall) -> None:
        """Turn a bad answer into a good one."""
        if await call.error() is not None:
            self.struck(str(call.key))


@effect_of(ProbeFlappingFault)
class ProbeFlapping(ProbeFault[ProbeFlappingFault]):
    """The first half of each period all calls fail, the second half none does."""

    async def meet(self, call: HealthCall) -> None:
        """Fail, or do not, by the clock."""
        period_ns = self.spec.period_ns
        if (self.parts.runtime.now_ns() - self.spec.at_ns) % period_ns < period_ns // 2:
            self.struck(str(call.key))
            raise Unavailable(f"nobody answers at {call.address} for the moment")
        await call.make()
