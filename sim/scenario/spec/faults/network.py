"""Faults of the network between frontends and nodes, and of the message bus.

W1   network_latency
W2   message_loss
W3   message_duplicate
W4   message_reorder
W5   one_way_partition
W6   partition
W7   clog
W8   connection_reset
W9   bus_loss, with a delay if late rather than lost
"""

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from sim.scenario.spec.base import Spec, wrong
from sim.scenario.spec.faults.base import Index, RateFault, SpellFault, TimedFault, WindowFault
from sim.scenario.text.units import Duration, format_duration


class _WayToNode(Spec):
    node: str | None = None
    """Name of the node whose messages are hit; messages of all nodes if not given."""


class NetworkLatencyFault(_WayToNode, WindowFault):
    """Makes messages take a random time with a long tail, instead of the network's constant latency."""

    kind: Literal["network_latency"]
    least_ns: Duration = Field(alias="least")
    """Shortest time that a message takes."""
    mean_ns: Duration = Field(alias="mean", gt=0)
    """Mean time of the messages outside the tail."""
    tail_factor: float = Field(default=100.0, ge=1, le=10_000)
    """Factor by which a message in the tail takes longer."""
    tail_rate: float = Field(default=0.001, ge=0, le=1)
    """Probability with which a message is in the tail."""

    @model_validator(mode="after")
    def _least_under_mean(self) -> Self:
        if self.least_ns > self.mean_ns:
            mean = format_duration(self.mean_ns)
            raise wrong("least", f"found {format_duration(self.least_ns)}; allowed: at most mean, {mean}")
        return self


class MessageLossFault(_WayToNode, RateFault):
    """Loses messages, which are sent again after a while."""

    kind: Literal["message_loss"]
    retransmit_after_ns: Duration = Field(default=200_000_000, alias="retransmit_after", gt=0)
    """Time after which a lost message is sent again."""


class MessageDuplicateFault(_WayToNode, RateFault):
    """Delivers messages twice."""

    kind: Literal["message_duplicate"]


class MessageReorderFault(_WayToNode, RateFault):
    """Delays single messages, so that later ones overtake them."""

    kind: Literal["message_reorder"]
    by_ns: Duration = Field(alias="by", gt=0)
    """Time by which a message is delayed."""


class OneWayPartitionFault(_WayToNode, SpellFault):
    """Lets nothing through in one direction, and everything in the other."""

    kind: Literal["one_way_partition"]
    direction: Literal["to_node", "from_node"]
    """Direction in which nothing gets through."""


class PartitionFault(SpellFault):
    """Lets nothing through between some nodes and some frontends."""

    kind: Literal["partition"]
    nodes: Annotated[tuple[str, ...], Field(min_length=1, max_length=1000)]
    """Names of the nodes on one side."""
    frontends: Annotated[tuple[Index, ...], Field(min_length=1, max_length=1000)] | None = None
    """Indices of the frontends on the other side; all if not given."""


class ClogFault(_WayToNode, SpellFault):
    """Holds messages back, each for a random time, in a buffer that empties at once when it is full."""

    kind: Literal["clog"]
    mean_hold_ns: Duration = Field(alias="mean_hold")
    """Mean time for which a message is held."""
    capacity: int = Field(ge=1, le=1000)
    """Number of messages at which the buffer is full."""


class ConnectionResetFault(TimedFault):
    """Breaks every connection to a node, in the middle of whatever is sent."""

    kind: Literal["connection_reset"]
    node: str
    """Name of the node."""


class BusLossFault(_WayToNode, RateFault):
    """Loses messages on the bus for good, or delivers them late."""

    kind: Literal["bus_loss"]
    delay_ns: Duration | None = Field(default=None, alias="delay", gt=0)
    """Time by which messages are late; they are lost if not given."""
