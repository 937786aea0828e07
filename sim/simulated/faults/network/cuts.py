"""Nodes that are cut off, for a time or for a moment."""

from abc import ABC, abstractmethod
from typing import TypeVar

from sim.scenario.spec.faults.network import ConnectionResetFault, OneWayPartitionFault, PartitionFault
from sim.simulated.faults.base import Fault, effect_of
from sim.simulated.faults.network.on_the_way import OnTheWay, never

Cutting = TypeVar("Cutting", bound=OneWayPartitionFault | PartitionFault)


class _Cut(OnTheWay[Cutting], ABC):
    """Lets nothing through for a time.

    What is sent to a cut node is sent again until it comes through when that is possible. What a node could not
    answer it has done for nothing: the node gives the connection up, and whoever waits never hears of that.
    """

    async def there(self, frontend: int, node: str) -> None:
        if self.is_active() and self.cuts_there(frontend, node):
            self.struck(node)
            await self.sleep_until(self._ends_ns())

    async def back(self, frontend: int, node: str) -> None:
        if self.is_active() and self.cuts_back(frontend, node):
            self.struck(node)
            await never(self.parts.runtime)

    async def happen(self) -> None:
        """Suppress the heartbeats of the nodes that no frontend hears, until the cut is over."""
        await self.parts.runtime.sleep(self.spec.at_ns)
        mute = [agent for node, agent in self.parts.agents.items() if self.mutes(node)]
        for agent in mute:
            self.struck(agent.facts.name)
            agent.gags += 1
        await self.sleep_until(self._ends_ns())
        for agent in mute:
            agent.gags -= 1

    def _ends_ns(self) -> int:
        return self.spec.at_ns + self.spec.lasts_ns

    @abstractmethod
    def cuts_there(self, frontend: int, node: str) -> bool:
        """Tell whether messages from the frontend to the node are stopped."""

    @abstractmethod
    def cuts_back(self, frontend: int, node: str) -> bool:
        """Tell whether messages from the node to the frontend are stopped."""

    @abstractmethod
    def mutes(self, node: str) -> bool:
        """Tell whether no frontend hears from the node."""


@effect_of(OneWayPartitionFault)
class OneWayPartition(_Cut[OneWayPartitionFault]):
    """Cuts one direction."""

    def cuts_there(self, frontend: int, node: str) -> bool:
        return self.spec.direction == "to_node" and self.spec.node in (None, node)

    def cuts_back(self, frontend: int, node: str) -> bool:
        return self.spec.direction == "from_node" and self.spec.node in (None, node)

    def mutes(self, node: str) -> bool:
        """Heartbeats go the way that answers go."""
        return self.cuts_back(0, node)


@effect_of(PartitionFault)
class Partition(_Cut[PartitionFault]):
    """Cuts some nodes off from some frontends, both ways."""

    def cuts_there(self, frontend: int, node: str) -> bool:
        return node in self.spec.nodes and (self.spec.frontends is None or frontend in self.spec.frontends)

    cuts_back = cuts_there

    def mutes(self, node: str) -> bool:
        """A heartbeat is heard if one frontend can hear it."""
        return all(self.cuts_back(frontend, node) for frontend in self.parts.frontends)


@effect_of(ConnectionResetFault)
class ConnectionReset(Fault[ConnectionResetFault]):
    """Breaks the calls to a node's processes, which themselves live on."""

    async def happen(self) -> None:
        await self.parts.runtime.sleep(self.spec.at_ns)
        for process in list(self.parts.workers.nodes[self.spec.node].processes.values()):
            if process.is_busy:
                self.struck(str(process.key))
                process.break_off(f"the connection to {process.address} was reset")
