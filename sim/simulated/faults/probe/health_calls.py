"""Health calls that a fault gets to answer."""

from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

from sim.routing.errors import CallError
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from sim.scenario.spec.faults.base import RateFault
from sim.simulated.faults.base import LastingFault, LastingSpec, Luck
from sim.simulated.faults.interposed import InterposedDialer
from sim.simulated.parts import Parts


class HealthCallSpec(LastingSpec, Protocol):
    """The spec of any fault of health calls."""

    @property
    def node(self) -> str | None:
        """Whose replicas are asked; every node's if it is None."""


Spec = TypeVar("Spec", bound=HealthCallSpec)


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


class ProbeFault(LastingFault[Spec], ABC):
    """A fault that answers health calls to its node, or to every node, at its rate."""

    def __init__(self, spec: Spec, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._rate = _rate_of(spec)

    def around(self, frontend: int, ports: FrontendPorts) -> FrontendPorts:
        async def around(key: ReplicaKey, address: str, method: str, call: MadeCall) -> Any:
            if method != "health" or not self._hits(key):
                return await call()
            return await self.meet(HealthCall(frontend, key, address, call))

        return replace(ports, dialer=InterposedDialer(ports.dialer, around))

    @abstractmethod
    async def meet(self, call: HealthCall) -> None:
        """Answer the call in place of the process, which can still be asked. Call `struck` if the answer is changed."""

    def _hits(self, key: ReplicaKey) -> bool:
        return self.is_active() and self.spec.node in (None, key.node) and self.luck.strikes(self._rate)


def _rate_of(spec: object) -> float:
    return spec.rate if isinstance(spec, RateFault) else 1.0
