"""Slips in the policies beside LocalAI's own: rotation, ties, weights, zones, ejections."""

from collections.abc import Sequence

from sim.routing.policies.port import Random, ReplicaView, RequestView
from sim.routing.policies.standard.outlier_ejection import OutlierEjection
from sim.routing.policies.standard.rotation import Rotation, name_of
from sim.routing.policies.standard.slow_start import Newcomers
from sim.routing.policies.standard.ties import BreakTie, TiesName
from sim.routing.policies.standard.zone_aware import ZoneAware
from sim.testing.mutants.mutant import in_place_of

_STANDARD = "sim.routing.policies.standard"


@in_place_of(f"{_STANDARD}.rotation:Rotation.next", "round_robin_over_moving_list")
def turn_does_not_move_on(self: Rotation, replicas: Sequence[ReplicaView]) -> ReplicaView | None:
    """A round robin takes the same replica again and again: `<` for `<=`."""
    following = min(replicas, key=lambda one: (name_of(one) < self._last, name_of(one)), default=None)
    if following is not None:
        self.moved_to(following)
    return following


@in_place_of(f"{_STANDARD}.rotation:Rotation.moved_to", "round_robin_over_moving_list", "round_robin_in_step")
def turn_is_not_remembered(self: Rotation, replica: ReplicaView) -> None:
    """A round robin begins anew with each request."""


@in_place_of(f"{_STANDARD}.least_in_flight:tie_breaker", "first_of_equals")
def ties_go_to_the_first(name: TiesName, random: Random) -> BreakTie:
    """Whichever way to break ties is chosen, the first of the least loaded is taken."""
    return lambda replicas: replicas[0] if replicas else None


@in_place_of(f"{_STANDARD}.least_in_flight:least_loaded", "first_of_equals")
def most_loaded_is_taken(replicas: Sequence[ReplicaView]) -> list[ReplicaView]:
    """The policy of the fewest requests in flight takes the most: `max` for `min`."""
    most = max((replica.in_flight for replica in replicas), default=0)
    return [replica for replica in replicas if replica.in_flight == most]


@in_place_of(f"{_STANDARD}.weighted_least_request:effective_weight", "weights_blind_to_in_flight")
def weight_ignores_requests(weight: float, in_flight: int, active_request_bias: float) -> float:
    """A replica keeps its weight however many requests it has in flight."""
    return weight


@in_place_of(f"{_STANDARD}.weighted_least_request:weight_share", "new_replica_flooded")
def new_replica_has_its_full_weight(age_ns: int, window_ns: int, aggression: float, least: float) -> float:
    """A new replica gets its full share at once."""
    return 1.0


@in_place_of(f"{_STANDARD}.slow_start:Newcomers.ages_ns", "new_replica_flooded")
def every_replica_is_old(self: Newcomers, model: str, replicas: Sequence[ReplicaView], now_ns: int) -> list[int]:
    """No replica counts as new."""
    return [1 << 62 for _ in replicas]


@in_place_of(f"{_STANDARD}.zone_aware:ZoneAware.pick", "zone_starves")
def zone_is_never_left(self: ZoneAware, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
    """A request stays in its zone however busy that is."""
    here = self._keys.local(replicas, self._frontend)
    return self._break_tie(here or replicas)


@in_place_of(f"{_STANDARD}.outlier_ejection:OutlierEjection._ejected", "ejects_everybody")
def any_number_is_ejected(self: OutlierEjection, replicas: Sequence[ReplicaView], model: str) -> list[str]:
    """All replicas may be ejected at the same time."""
    now_ns = self._clock.now_ns()
    return [one.id for one in replicas if self._record(model, one).back_ns > now_ns]
