"""Slips in the policies of the field: what they compare, whom they draw, whose turn it is, and whom they keep out."""

from collections.abc import Sequence

from sim.routing.policies.port import Random, ReplicaView, RequestView
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.outlier_ejection import OutlierEjection
from sim.routing.policies.standard.power_of_d import PowerOfD
from sim.routing.policies.standard.rotation import Rotation, name_of
from sim.routing.policies.standard.round_robin import RoundRobin
from sim.routing.policies.standard.slow_start import Newcomers
from sim.routing.policies.standard.ties import BreakTie, TiesName
from sim.routing.policies.standard.zone_aware import ZoneAware, Zones
from sim.testing.mutants.mutant import Mutant, in_place_of

_STANDARD = "sim.routing.policies.standard"


@in_place_of(f"{_STANDARD}.least_in_flight:least_loaded", "snapshot_herd")
def most_loaded_of_all(replicas: Sequence[ReplicaView]) -> list[ReplicaView]:
    """The least loaded replicas are those with the most requests in flight: `max` for `min`."""
    most = max((replica.in_flight for replica in replicas), default=0)
    return [replica for replica in replicas if replica.in_flight == most]


@in_place_of(f"{_STANDARD}.least_in_flight:least_loaded", "capacity_blind")
def all_are_least_loaded(replicas: Sequence[ReplicaView]) -> list[ReplicaView]:
    """Every replica counts as one of the least loaded."""
    return list(replicas)


@in_place_of(f"{_STANDARD}.least_in_flight:tie_breaker", "first_of_equals", "count_below_zero")
def ties_go_to_the_first(name: TiesName, random: Random) -> BreakTie:
    """Whichever rule for ties is asked for, the first of equals is taken."""
    return lambda replicas: replicas[0] if replicas else None


most_loaded_of_those_drawn = Mutant(
    "most_loaded_of_those_drawn",
    f"{_STANDARD}.power_of_d:least_loaded",
    "Of the replicas that are drawn, the most loaded ones are taken.",
    most_loaded_of_all.replacement,
    ("stale_power_of_two",),
)


@in_place_of(f"{_STANDARD}.power_of_d:PowerOfD._without_replacement", "stale_power_of_two")
def first_ones_are_drawn(self: PowerOfD, places: range) -> list[int]:
    """The replicas that are drawn are always the first of the list."""
    return list(places[: self._d])


@in_place_of(f"{_STANDARD}.round_robin:RoundRobin.pick", "round_robin_in_step")
def turns_begin_at_the_first(
    self: RoundRobin, replicas: Sequence[ReplicaView], request: RequestView
) -> ReplicaView | None:
    """Every frontend takes the first replica first."""
    return self._rotations.setdefault(request.model, Rotation()).next(replicas)


@in_place_of(f"{_STANDARD}.rotation:Rotation.next", "round_robin_over_moving_list", "late_replica_forgotten")
def turn_stays_where_it_is(self: Rotation, replicas: Sequence[ReplicaView]) -> ReplicaView | None:
    """After a replica comes that replica again: `<` for `<=`."""
    following = min(replicas, key=lambda one: (name_of(one) < self._last, name_of(one)), default=None)
    if following is not None:
        self.moved_to(following)
    return following


@in_place_of(f"{_STANDARD}.rotation:Rotation.next", "late_replica_forgotten")
def turn_never_comes_to_the_last_name(self: Rotation, replicas: Sequence[ReplicaView]) -> ReplicaView | None:
    """The round ends one replica too early: the one with the last name gets a turn only where it is alone."""
    first_names = sorted(replicas, key=name_of)[: max(1, len(replicas) - 1)]
    following = min(first_names, key=lambda one: (name_of(one) <= self._last, name_of(one)), default=None)
    if following is not None:
        self.moved_to(following)
    return following


@in_place_of(f"{_STANDARD}.weighted_least_request:effective_weight", "weights_blind_to_in_flight")
def weight_does_not_shrink(weight: float, in_flight: int, active_request_bias: float) -> float:
    """Requests in flight do not count against a weight."""
    return weight


@in_place_of(f"{_STANDARD}.weighted_least_request:effective_weight", "weights_blind_to_in_flight")
def weights_are_all_equal(weight: float, in_flight: int, active_request_bias: float) -> float:
    """Only the requests in flight count, and no weight."""
    return 1 / float(in_flight + 1)


@in_place_of(f"{_STANDARD}.weighted_least_request:weight_share", "new_replica_flooded")
def new_replica_has_all_its_weight(age_ns: int, window_ns: int, aggression: float, least: float) -> float:
    """A new replica does not start slowly."""
    return 1.0


@in_place_of(f"{_STANDARD}.outlier_ejection:OutlierEjection._ejected", "ejects_everybody")
def everybody_may_be_ejected(self: OutlierEjection, replicas: Sequence[ReplicaView], model: str) -> list[str]:
    """The limit on ejected replicas does not hold."""
    now_ns = self._clock.now_ns()
    return [one.id for one in replicas if self._record(model, one).back_ns > now_ns]


@in_place_of(f"{_STANDARD}.zone_aware:ZoneAware.pick", "zone_starves")
def zone_is_never_left(self: ZoneAware, replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView | None:
    """The frontend stays in its zone, however busy that is."""
    return self._break_tie(least_loaded(self._keys.local(replicas, self._frontend) or replicas))


@in_place_of(f"{_STANDARD}.zone_aware:Zones.local", "zone_starves")
def nobody_is_in_the_zone(self: Zones, replicas: Sequence[ReplicaView], frontend: int) -> list[ReplicaView]:
    """No replica is found in the frontend's zone."""
    return []


@in_place_of(f"{_STANDARD}.rotation:Rotation.moved_to", "round_robin_in_step")
def turn_is_not_remembered(self: Rotation, replica: ReplicaView) -> None:
    """A round robin begins anew with each request."""


@in_place_of(f"{_STANDARD}.slow_start:Newcomers.ages_ns", "new_replica_flooded")
def every_replica_is_old(self: Newcomers, model: str, replicas: Sequence[ReplicaView], now_ns: int) -> list[int]:
    """No replica counts as new."""
    return [1 << 62 for _ in replicas]


@in_place_of(f"{_STANDARD}.slow_start:Newcomers.ages_ns", "newcomers_by_hand")
def second_model_is_new(self: Newcomers, model: str, replicas: Sequence[ReplicaView], now_ns: int) -> list[int]:
    """The replicas of every model but the first one count as new when they are seen first."""
    before, first_seen_ns = self._since_ns.get(model, {}), now_ns if self._since_ns else -(1 << 62)
    self._since_ns[model] = {one.id: before.get(one.id, first_seen_ns) for one in replicas}
    return [now_ns - since_ns for since_ns in self._since_ns[model].values()]
