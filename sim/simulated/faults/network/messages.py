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
    """Draws the latency of each message. The network's own latency is the least that any message takes."""

    async def hold_up(self, node: str) -> None:
        """Wait for what the drawn latency exceeds the network's own latency, which passes anyway."""
        if not self.hits(node):
            return
        self.struck(node)
        latency_ns = self.spec.least_ns + self.luck.exponential_ns(self.spec.mean_ns - self.spec.least_ns)
        if self.luck.strikes(self.spec.tail_rate):
            latency_ns = round(latency_ns * self.spec.tail_factor)
        await self.parts.runtime.sleep(max(0, latency_ns - self.parts.scenario.network.latency_ns))


@effect_of(MessageLossFault)
class MessageLoss(MessageDelay[MessageLossFault]):
    """Loses messages as TCP does: a lost message is sent again, each time after twice the time, until it arrives."""

    async def hold_up(self, node: str) -> None:
        """Wait for the next attempt after each one that is lost."""
        again_after_ns = self.spec.retransmit_after_ns
        while self.hits(node) and self.luck.strikes(self.spec.rate):
            self.struck(node)
            await self.parts.runtime.sleep(again_after_ns)
            again_after_ns *= 2


@effect_of(MessageReorderFault)
class MessageReorder(MessageDelay[MessageReorderFault]):
    """Delays some messages, so that later ones overtake them."""

    async def hold_up(self, node: str) -> None:
        if self.hits(node) and self.luck.strikes(self.spec.rate):
            self.struck(node)
            await self.parts.runtime.sleep(self.spec.by_ns)


@effect_of(ClogFault)
class Clog(MessageDelay[ClogFault]):
    """Holds messages back in a buffer for each node, which empties at once when it is full or the clog is over."""

    def __init__(self, spec: ClogFault, parts: Parts, luck: Luck) -> None:
        super().__init__(spec, parts, luck)
        self._held: dict[str, dict[SimFuture, None]] = {}

    async def happen(self) -> None:
        """Empty the buffers when the clog is over."""
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
