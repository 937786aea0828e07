"""Clients that misbehave.

U1   client_leaves
U2   retry_storm
U3   client_deadline
U4   client_burst
U5   slow_reader
"""

from typing import Literal

from pydantic import Field

from sim.scenario.spec.base import Spec
from sim.scenario.spec.faults.base import Factor, RateFault, Share, TimedFault, WindowFault
from sim.scenario.text.units import Duration


class _OfSource(Spec):
    source: int | None = Field(default=None, ge=0)
    """Whose clients, as an index into `workload`; everybody's if not given."""


class ClientLeavesFault(_OfSource, RateFault):
    """Has clients leave at a certain stage of their request."""

    kind: Literal["client_leaves"]
    stage: Literal["before_pick", "during_probe", "mid_stream"]
    after_ns: Duration = Field(default=0, alias="after")
    """From the beginning of the stage; who is past it by then stays."""


class RetryStormFault(_OfSource, WindowFault):
    """Has clients send a failed request again."""

    kind: Literal["retry_storm"]
    retries: int = Field(ge=1, le=100)
    """How often, at most."""
    delay_ns: Duration = Field(default=0, alias="delay")
    """From the failure to the next attempt."""


class ClientDeadlineFault(_OfSource, RateFault):
    """Gives requests a deadline."""

    kind: Literal["client_deadline"]
    rate: Share = 1.0
    deadline_ns: Duration = Field(alias="deadline", gt=0)
    """From the arrival of the request."""


class SlowReaderFault(_OfSource, RateFault):
    """Has clients read their answer more slowly than it is made, which keeps its replica busy for longer."""

    kind: Literal["slow_reader"]
    factor: Factor


class ClientBurstFault(TimedFault):
    """Sends many requests in one instant."""

    kind: Literal["client_burst"]
    model: str
    requests: int = Field(ge=1, le=512)
    demand_ns: Duration = Field(default=1_000_000_000, alias="demand", gt=0)
    """The work in each, as the time it takes on a node of speed 1."""
