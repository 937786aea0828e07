"""Faults of the network: messages that are late, and nodes that are cut off."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

from sim.routing.errors import DeadlineExceeded
from sim.scenario.spec.faults import network as specs
from sim.simulated.faults.base import Fault, Luck, Window
from sim.simulated.faults.network.copies import BusLoss, MessageDuplicate
from sim.simulated.faults.network.on_the_way import Delay, OnTheWay, never
from sim.simulated.kernel.awaitables import SimFuture
from sim.simulated.stage import Stage


class _WindowSpec(Protocol):
    @property
    def kind(self) -> str: ...
    @property
    def node(self) -> str | None: ...
    @property
    def at_ns(self) -> int: ...
    @property
    def lasts_ns(self) -> int | None: ...


Spec = TypeVar("Spec", bound=_WindowSpec)


class _DelayInWindow(Delay, Generic[Spec]):
    def __init__(self, spec: Spec, luck: Luck) -> None:
        self.spec = spec
        self.luck = luck
        self._window = Window(spec.at_ns, spec.lasts_ns)

    def hits(self, node: str) -> bool:
        """Tell whether messages of the node are hit now."""
        return self.spec.node in (None, node) and self._window.holds(self.stage.runtime.now_ns())

    def struck(self, node: str) -> None:
        """Note that a message was hit."""
        self.stage.journal.fault_struck(self.spec.kind, node)


class NetworkLatency(_DelayInWindow[specs.NetworkLatencyFault]):
    """Draws how long each message takes; what would be faster than the network ever is takes the network's latency."""

    async def hold_up(self, node: str) -> None:
        """Let what the message takes pass, less the network's latency, which passes anyway."""
        if not self.hits(node):
            return
        self.struck(node)
        latency_ns = self.spec.least_ns + self.luck.exponential_ns(self.spec.mean_ns - self.spec.least_ns)
        if self.luck.strikes(self.spec.tail_rate):
            latency_ns = round(latency_ns * self.spec.tail_factor)
        await self.stage.runtime.sleep(max(0, latency_ns - self.stage.scenario.network.latency_ns))


class MessageLoss(_DelayInWindow[specs.MessageLossFault]):
    """Loses messages as TCP does: each comes in the end, after as many attempts as it takes, twice as far apart."""

    async def hold_up(self, node: str) -> None:
        """Let the time of every attempt that is lost pass."""
        again_after_ns = self.spec.retransmit_after_ns
        while self.hits(node) and self.luck.strikes(self.spec.rate):
            self.struck(node)
            await self.stage.runtime.sleep(again_after_ns)
            again_after_ns *= 2


class MessageReorder(_DelayInWindow[specs.MessageReorderFault]):
    """Lets later messages overtake some."""

    async def hold_up(self, node: str) -> None:
        """Delay the message, or not."""
        if self.hits(node) and self.luck.strikes(self.spec.rate):
            self.struck(node)
            await self.stage.runtime.sleep(self.spec.by_ns)


class Clog(_DelayInWindow[specs.ClogFault]):
    """Holds the messages of each node back in a buffer, and lets all go at once when it is full or the clog is over."""

    def __init__(self, spec: specs.ClogFault, luck: Luck) -> None:
        super().__init__(spec, luck)
        self._held: dict[str, dict[SimFuture, None]] = {}

    async def happen(self, stage: Stage) -> None:
        """Let everything go in the end."""
        await super().happen(stage)
        await stage.runtime.sleep(self.spec.at_ns + self.spec.lasts_ns)
        for held in self._held.values():
            _let_go(held)

    async def hold_up(self, node: str) -> None:
        """Hold the message for its random time, or until the buffer empties."""
        if not self.hits(node):
            return
        self.struck(node)
        held, released = self._held.setdefault(node, {}), self.stage.runtime.future()
        held[released] = None
        if len(held) >= self.spec.capacity:
            _let_go(held)
        try:
            with suppress(DeadlineExceeded):
                await self.stage.runtime.within(self.luck.exponential_ns(self.spec.mean_hold_ns), _answer(released))
        finally:
            held.pop(released, None)


def _let_go(held: dict[SimFuture, None]) -> None:
    for released in held:
        released.set_result(None)
    held.clear()


async def _answer(answer: SimFuture) -> None:
    await answer


class _Cut(OnTheWay, ABC):
    """Lets nothing through for a time.

    What is sent to a cut node is sent again until it comes through when that is possible. What a node could not
    answer it has done for nothing: the node gives the connection up, and whoever waits never hears of that.
    """

    def __init__(self, spec: specs.OneWayPartitionFault | specs.PartitionFault) -> None:
        self._kind = spec.kind
        self._begins_ns = spec.at_ns
        self._ends_ns = spec.at_ns + spec.lasts_ns
        self._window = Window(spec.at_ns, spec.lasts_ns)

    async def there(self, frontend: int, node: str) -> None:
        """Hold the call until the cut is over."""
        now_ns = self.stage.runtime.now_ns()
        if self._window.holds(now_ns) and self.cuts_there(frontend, node):
            self.stage.journal.fault_struck(self._kind, node)
            await self.stage.runtime.sleep(self._ends_ns - now_ns)

    async def back(self, frontend: int, node: str) -> None:
        """Lose the answer."""
        if self._window.holds(self.stage.runtime.now_ns()) and self.cuts_back(frontend, node):
            self.stage.journal.fault_struck(self._kind, node)
            await never(self.stage.runtime)

    async def happen(self, stage: Stage) -> None:
        """Keep the heartbeats of nodes that nobody hears from being heard."""
        await super().happen(stage)
        await stage.runtime.sleep(self._begins_ns)
        mute = [agent for node, agent in stage.agents.items() if self.mutes(node)]
        for agent in mute:
            stage.journal.fault_struck(self._kind, agent.facts.name)
            agent.gags += 1
        await stage.runtime.sleep(self._ends_ns - self._begins_ns)
        for agent in mute:
            agent.gags -= 1

    @abstractmethod
    def cuts_there(self, frontend: int, node: str) -> bool:
        """Tell whether messages from the frontend to the node are stopped."""

    @abstractmethod
    def cuts_back(self, frontend: int, node: str) -> bool:
        """Tell whether messages from the node to the frontend are stopped."""

    @abstractmethod
    def mutes(self, node: str) -> bool:
        """Tell whether no frontend hears from the node."""


class OneWayPartition(_Cut):
    """Cuts one direction."""

    def __init__(self, spec: specs.OneWayPartitionFault, _luck: Luck) -> None:
        super().__init__(spec)
        self._spec = spec

    def cuts_there(self, frontend: int, node: str) -> bool:
        """Tell by the direction."""
        return self._spec.direction == "to_node" and self._spec.node in (None, node)

    def cuts_back(self, frontend: int, node: str) -> bool:
        """Tell by the direction."""
        return self._spec.direction == "from_node" and self._spec.node in (None, node)

    def mutes(self, node: str) -> bool:
        """Tell by the direction: heartbeats go the other way than calls."""
        return self.cuts_back(0, node)


class Partition(_Cut):
    """Cuts some nodes off from some frontends, both ways."""

    def __init__(self, spec: specs.PartitionFault, _luck: Luck) -> None:
        super().__init__(spec)
        self._spec = spec

    def cuts_there(self, frontend: int, node: str) -> bool:
        """Tell by the two ends."""
        return node in self._spec.nodes and (self._spec.frontends is None or frontend in self._spec.frontends)

    cuts_back = cuts_there

    def mutes(self, node: str) -> bool:
        """Tell by the ends; a heartbeat that one frontend can hear is heard."""
        return all(self.cuts_back(frontend, node) for frontend in self.stage.frontends)


class ConnectionReset(Fault):
    """Breaks the calls to a node's processes, which themselves live on."""

    def __init__(self, spec: specs.ConnectionResetFault, _luck: Luck) -> None:
        self._spec = spec

    async def happen(self, stage: Stage) -> None:
        """Break off whatever is under way."""
        await stage.runtime.sleep(self._spec.at_ns)
        for process in list(stage.workers.nodes[self._spec.node].processes.values()):
            if process.is_busy:
                stage.journal.fault_struck(self._spec.kind, str(process.key))
                process.break_off(f"the connection to {process.address} was reset")


FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {
    specs.NetworkLatencyFault: NetworkLatency,
    specs.MessageLossFault: MessageLoss,
    specs.MessageDuplicateFault: MessageDuplicate,
    specs.MessageReorderFault: MessageReorder,
    specs.OneWayPartitionFault: OneWayPartition,
    specs.PartitionFault: Partition,
    specs.ClogFault: Clog,
    specs.ConnectionResetFault: ConnectionReset,
    specs.BusLossFault: BusLoss,
}
