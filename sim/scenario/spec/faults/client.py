"""Clients that misbehave.

U1   client_leaves
U2   retry_storm
U3   client_deadline
U4   client_burst
U5   slow_reader
"""

from typing import Literal

from pydantic import Field

from sim.routing.units import NS_PER_S
from sim.scenario.spec.base import Spec
from sim.scenario.spec.faults.base import Factor, RateFault, Share, TimedFault, WindowFault
from sim.scenario.text.units import Duration


class _OfSource(Spec):
    source: int | None = Field(default=None, ge=0)
    """Index into `workload` of the source whose clients are hit; all sources if not given."""


class ClientLeavesFault(_OfSource, RateFault):
    """Makes clients leave at a certain stage of their request."""

    kind: Literal["client_leaves"]
    stage: Literal["before_pick", "during_probe", "mid_stream"]
    """Stage of the request at which a client leaves."""
    after_ns: Duration = Field(default=0, alias="after")
    """Time from the beginning of the stage until the client leaves. It stays if the stage is over by then."""


class RetryStormFault(_OfSource, WindowFault):
    """Makes clients send a failed request again."""

    kind: Literal["retry_storm"]
    retries: int = Field(ge=1, le=100)
    """Largest number of further attempts for one request."""
    delay_ns: Duration = Field(default=0, alias="delay")
    """Time from a failure to the next attempt."""


class ClientDeadlineFault(_OfSource, RateFault):
    """Gives requests a deadline."""

    kind: Literal["client_deadline"]
    rate: Share = 1.0
    """Probability with which each request has a deadline."""
    deadline_ns: Duration = Field(alias="deadline", gt=0)
    """Time from a request's arrival to its deadline."""


class SlowReaderFault(_OfSource, RateFault):
    """Makes clients read their answer more slowly than it is made, which keeps its replica busy for longer."""

    kind: Literal["slow_reader"]
    factor: Factor
    """Factor by which an answer takes longer."""


class ClientBurstFault(TimedFault):
    """Sends many requests in one instant."""

    kind: Literal["client_burst"]
    model: str
    """Name of the model that the requests ask for."""
    requests: int = Field(ge=1, le=512)
    """Number of requests."""
    demand_ns: Duration = Field(default=NS_PER_S, alias="demand", gt=0)
    """Work in each request, as the time it takes on a node of speed 1."""
