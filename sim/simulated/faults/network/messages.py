"""Messages that are late, lost and sent again, overtaken or held back."""

from abc import ABC
from contextlib import suppress
from typing import Protocol, TypeVar

from sim.routing.errors import DeadlineExceeded
from sim.scenario.spec.faults.network import (
    ClogFault,
    MessageLossFault,
    MessageReorderFault,
    NetworkLatencyFault,
)
from sim.simulated.faults.base import LastingSpec, Luck, effect_of
from sim.simulated.faults.network.on_the_way import Delay
from sim.simulated.kernel.awaitables import SimFuture
from sim.simulated.parts import Parts


class _MessageSpec(LastingSpec, Protocol):
    @property
    def node(self) -> str | None: ...


Spec = TypeVar("Spec", bound=_MessageSpec)


class MessageDelay(Delay[Spec], ABC):
    """Holds up messages to one node and from it, or to and from every node."""

    def hits(self, node: str) -> bool:
        """Tell whether messages of the node are hit now."""
        return self.spec.node in (None, node) and self.is_active()


@effect_of(NetworkLatencyFault)
class NetworkLatency(MessageDelay[NetworkLatencyFault]):
    """Draws how long each message takes; what would be faster than the network ever is takes the network's latency."""

    async def hold_up(self, node: str) -> None:
        """Let what the message takes pass, less the network's latency, which passes anyway."""
        if not self.hits(node):
            return
        self.struck(node)
        latency_ns = self.spec.least_ns + self.luck.exponential_ns(self.spec.mean_ns - self.spec.least_ns)
        if self.luck.strikes(self.spec.tail_rate):
            latency_ns = round(latency_ns * self.spec.tail_factor)
        await self.parts.runtime.sleep(max(0, latency_ns - self.parts.scenario.network.latency_ns))


@effect_of(MessageLossFault)
class MessageLoss(MessageDelay[MessageLossFault]):
    """Loses messages as TCP does: each comes in the end, after as many attempts as it takes, twice as far apart."""

    async def hold_up(self, node: str) -> None:
        """Let the time of every attempt that is lost pass."""
        again_after_ns = self.spec.retransmit_after_ns
        while self.hits(node) and self.luck.strikes(self.spec.rate):
            self.struck(node)
            await self.parts.runtime.sleep(again_after_ns)
            again_after_ns *= 2


@effect_of(MessageReorderFault)
class MessageReorder(MessageDelay[MessageReorderFault]):
    """Lets later messages overtake some."""

    async def hold_up(self, node: str) -> None:
        """Delay the message, or not."""
        if self.hits(node) and self.luck.strikes(self.spec.rate):
            self.struck(node)
            await self.parts.runtime.sleep(self.spec.by_ns)


@effect_of(ClogFault)
class Clog(MessageDelay[ClogFault]):
    """Holds the messages of each node back in a buffer, and lets all go at once when it is full or the clog is over."""

    def __init__(self, spec: ClogFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._held: dict[str, dict[SimFuture, None]] = {}

    async def happen(self) -> None:
        """Let everything go in the end."""
        await self.parts.runtime.sleep(self.spec.at_ns + self.spec.lasts_ns)
        for held in self._held.values():
            _let_go(held)

    async def hold_up(self, node: str) -> None:
        """Hold the message for its random time, or until the buffer empties."""
        if not self.hits(node):
            return
        self.struck(node)
        held, released = self._held.setdefault(node, {}), self.parts.runtime.future()
        held[released] = None
        if len(held) >= self.spec.capacity:
            _let_go(held)
        try:
            with suppress(DeadlineExceeded):
                await self.parts.runtime.within(self.luck.exponential_ns(self.spec.mean_hold_ns), _answer(released))
        finally:
            held.pop(released, None)


def _let_go(held: dict[SimFuture, None]) -> None:
    for released in held:
        released.set_result(None)
    held.clear()


async def _answer(answer: SimFuture) -> None:
    await answer
