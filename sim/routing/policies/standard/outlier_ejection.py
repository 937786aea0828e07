"""Keeps away for a while from replicas whose requests fail in a row, but never from too many at once."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from sim.routing.policies.limits import check_count, check_number, check_time
from sim.routing.policies.port import PolicyContext, ReplicaView, RequestView
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.rotation import name_of
from sim.routing.policies.standard.ties import TiesName, tie_breaker
from sim.routing.units import NS_PER_S


@dataclass(frozen=True, slots=True)
class OutlierEjectionParameters:
    """The policy's keys in a scenario."""

    consecutive_failures: int = 5
    """Requests in a row that did not complete, after which a replica is ejected."""
    ejection_s: float = 30.0
    """Time in seconds for which it gets nothing."""
    max_ejected: float = 0.5
    """The part of the replicas that may be ejected at the same time; the ones ejected first stay out."""
    ties: TiesName = "random"
    """Which of the least loaded gets the request."""

    def __post_init__(self) -> None:
        """Raise ValueError for a count, a time or a part that is none."""
        check_count("consecutive_failures", self.consecutive_failures, 1)
        check_time("ejection_s", self.ejection_s)
        check_number("max_ejected", self.max_ejected, 0, 1)


@dataclass(slots=True)
class _Record:
    """What is known of one replica."""

    failures: int = 0
    """Requests in a row that did not complete."""
    ejected_ns: int = 0
    back_ns: int = 0
    """When it is taken back; in the past if it is not ejected."""


class OutlierEjection:
    """Takes one of the least loaded replicas that are not ejected.

    Envoy's outlier detection by consecutive errors, with its `max_ejection_percent`. A client that left because it had
    waited too long counts as an error, as time-outs do there. Envoy allows 10 % unless told otherwise, which ejects
    nobody from a fleet of fewer than ten; here it is half.
    """

    parameters = OutlierEjectionParameters

    def __init__(self, context: PolicyContext) -> None:
        self._keys: OutlierEjectionParameters = context.parameters
        self._clock = context.clock
        self._break_tie = tie_breaker(self._keys.ties, context.random)
        self._records: defaultdict[tuple[str, str, int], _Record] = defaultdict(_Record)
        """By model, node and index."""

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
        """Return one of the least loaded that are not ejected.

        None if all are ejected, which only a `max_ejected` of 1 allows.
        """
        out = self._ejected(replicas, request.model)
        return self._break_tie(least_loaded([one for one in replicas if one.id not in out]))

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        """Count failures in a row, and eject the replica when there are enough."""
        record = self._record(request.model, replica)
        record.failures = 0 if outcome == "completed" else record.failures + 1
        now_ns = self._clock.now_ns()
        if record.failures >= self._keys.consecutive_failures and record.back_ns <= now_ns:
            record.failures, record.ejected_ns = 0, now_ns
            record.back_ns = now_ns + round(self._keys.ejection_s * NS_PER_S)

    def _ejected(self, replicas: Sequence[ReplicaView], model: str) -> list[str]:
        """Return the ids of those that get nothing now: the first to be ejected, as many as may be."""
        now_ns = self._clock.now_ns()
        away = [one for one in replicas if self._record(model, one).back_ns > now_ns]
        away.sort(key=lambda one: self._record(model, one).ejected_ns)
        return [one.id for one in away[: int(self._keys.max_ejected * len(replicas))]]

    def _record(self, model: str, replica: ReplicaView) -> _Record:
        return self._records[model, *name_of(replica)]
