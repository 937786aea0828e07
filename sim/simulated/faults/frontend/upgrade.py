"""Faults of an upgrade: a frontend runs its loops twice, or has other settings than the rest."""

from sim.scenario.spec.faults.frontend import BackgroundDoubledFault, MixedPolicyFault
from sim.simulated.faults.base import Fault, effect_of


@effect_of(BackgroundDoubledFault)
class BackgroundDoubled(Fault[BackgroundDoubledFault]):
    """Starts a frontend's loops a second time."""

    async def happen(self) -> None:
        host = self.parts.frontends[self.spec.frontend]
        await self.parts.runtime.sleep(self.spec.at_ns)
        if host.frontend is not None:
            self.struck(f"frontend {self.spec.frontend}")
            host.start_loops()


@effect_of(MixedPolicyFault)
class MixedPolicy(Fault[MixedPolicyFault]):
    """Has one frontend route by settings of its own, which `Scenario.router_of` gives it when it is made."""

    async def happen(self) -> None:
        self.struck(f"frontend {self.spec.frontend}")
