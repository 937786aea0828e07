"""Faults of health probes.

P1   probe_timeout
P2   probe_reply_at_deadline
P3   probe_late_reply, its delay above router.probe.timeout
P4   probe_false_negative
P5   probe_false_positive
P6   probe_error
P7   probe_leader_leaves
P8   probe_callers_leave
P9   probe_late_reply, its delay above router.probe.ttl
P10  probe_flapping
"""

from typing import Literal

from pydantic import Field

from sim.scenario.spec.base import Spec
from sim.scenario.spec.faults.base import RateFault, Share, WindowFault
from sim.scenario.text.units import Duration


class _ProbeTarget(Spec):
    node: str | None = None
    """Name of the node whose replicas are probed; all nodes if not given."""


class ProbeTimeoutFault(_ProbeTarget, RateFault):
    """Leaves probes without an answer until they time out."""

    kind: Literal["probe_timeout"]
    rate: Share = 1.0
    """Probability with which each probe is hit."""


class ProbeReplyAtDeadlineFault(_ProbeTarget, WindowFault):
    """Makes the reply to each probe arrive just before its timeout, with it or just after it."""

    kind: Literal["probe_reply_at_deadline"]
    offset_ns: int = Field(ge=-1_000_000, le=1_000_000)
    """Nanoseconds from the probe's timeout to the reply; negative if the reply comes first."""


class ProbeLateReplyFault(_ProbeTarget, WindowFault):
    """Makes the reply to each probe arrive later than it would; with a delay above the timeout, too late."""

    kind: Literal["probe_late_reply"]
    delay_ns: Duration = Field(alias="delay", gt=0)
    """Time by which each reply is late."""


class ProbeFalseNegativeFault(_ProbeTarget, RateFault):
    """Makes probes say of live replicas that they are dead."""

    kind: Literal["probe_false_negative"]


class ProbeFalsePositiveFault(_ProbeTarget, RateFault):
    """Makes probes say of dead replicas that they are alive."""

    kind: Literal["probe_false_positive"]
    rate: Share = 1.0
    """Probability with which each probe is hit."""


class ProbeErrorFault(_ProbeTarget, RateFault):
    """Makes probes raise an error instead of giving an answer."""

    kind: Literal["probe_error"]


class ProbeLeaderLeavesFault(_ProbeTarget, RateFault):
    """Makes the client whose request began a probe leave while the probe is under way."""

    kind: Literal["probe_leader_leaves"]
    rate: Share = 1.0
    """Probability with which each probe is hit."""


class ProbeCallersLeaveFault(_ProbeTarget, RateFault):
    """Makes every client whose request waits for a probe leave while the probe is under way."""

    kind: Literal["probe_callers_leave"]
    rate: Share = 1.0
    """Probability with which each probe is hit."""


class ProbeFlappingFault(_ProbeTarget, WindowFault):
    """Makes probes fail and succeed by turns, half of each period long."""

    kind: Literal["probe_flapping"]
    period_ns: Duration = Field(alias="period", ge=2)
    """Time from the beginning of one failing half to that of the next."""
