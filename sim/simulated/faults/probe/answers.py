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
    """Health calls get no answer."""

    async def meet(self, call: HealthCall) -> None:
        self.struck(str(call.key))
        await never(self.parts.runtime)


@effect_of(ProbeErrorFault)
class ProbeError(ProbeFault[ProbeErrorFault]):
    """Health calls break before they reach the process."""

    async def meet(self, call: HealthCall) -> None:
        self.struck(str(call.key))
        raise CallError(f"the health call to {call.address} broke off")


@effect_of(ProbeFalseNegativeFault)
class ProbeFalseNegative(ProbeFault[ProbeFalseNegativeFault]):
    """Health calls say of a live process that it is unavailable."""

    async def meet(self, call: HealthCall) -> None:
        await call.make()
        self.struck(str(call.key))
        raise Unavailable(f"nobody answers at {call.address}, or so it seems")


@effect_of(ProbeFalsePositiveFault)
class ProbeFalsePositive(ProbeFault[ProbeFalsePositiveFault]):
    """Health calls say of a dead process that it is well."""

    async def meet(self, call: HealthCall) -> None:
        if await call.error() is not None:
            self.struck(str(call.key))


@effect_of(ProbeFlappingFault)
class ProbeFlapping(ProbeFault[ProbeFlappingFault]):
    """Health calls fail in the first half of each period and succeed in the second."""

    async def meet(self, call: HealthCall) -> None:
        period_ns = self.spec.period_ns
        if (self.parts.runtime.now_ns() - self.spec.at_ns) % period_ns < period_ns // 2:
            self.struck(str(call.key))
            raise Unavailable(f"nobody answers at {call.address} for the moment")
        await call.make()
