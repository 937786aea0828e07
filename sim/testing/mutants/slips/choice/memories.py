"""Slips in what policies keep apart: models, nodes, replicas of one node, and loads that are usual or not."""

import math
from collections.abc import Container, Sequence

from sim.routing.policies.port import ReplicaView
from sim.routing.policies.prefix.choice import Thresholds
from sim.routing.policies.prefix.index import Match, PrefixIndex
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.policies.standard.outlier_ejection import OutlierEjection, _Record
from sim.routing.policies.standard.peak_ewma import PeakCost, PeakEwma
from sim.routing.policies.standard.prequal import LatencyEstimate, Prequal
from sim.routing.policies.standard.rotation import Rotation, name_of
from sim.routing.policies.standard.zone_aware import Zones
from sim.routing.replica import ReplicaKey
from sim.routing.request import Chain
from sim.testing.mutants.mutant import in_place_of

_STANDARD = "sim.routing.policies.standard"
_PREFIX = "sim.routing.policies.prefix"


@in_place_of(f"{_STANDARD}.rotation:Rotation.next", "namesakes_by_hand")
def replicas_of_a_node_share_their_turn(self: Rotation, replicas: Sequence[ReplicaView]) -> ReplicaView | None:
    """A round robin goes by nodes, so of the replicas of one node it takes the first only."""
    following = min(replicas, key=lambda one: (one.node <= self._last[0], one.node), default=None)
    if following is not None:
        self.moved_to(following)
    return following


@in_place_of(f"{_STANDARD}.peak_ewma:PeakEwma._cost", "namesakes_by_hand")
def replicas_of_a_node_share_their_peaks(self: PeakEwma, model: str, replica: ReplicaView) -> PeakCost:
    """What was learned of one replica holds for all replicas of its model on the node: the index is not in the key."""
    return self._costs.setdefault((model, replica.node, 0), PeakCost(self._clock, self._decay_ns))


@in_place_of(f"{_STANDARD}.prequal:Prequal._estimate", "namesakes_by_hand")
def models_share_their_latencies(self: Prequal, model: str, replica: ReplicaView) -> LatencyEstimate:
    """What one model's requests took is expected of another model's as well: the model is not in the key."""
    return self._latencies["", *name_of(replica)]


@in_place_of(f"{_STANDARD}.outlier_ejection:OutlierEjection._record", "namesakes_by_hand")
def models_share_their_failures(self: OutlierEjection, model: str, replica: ReplicaView) -> _Record:
    """A replica is kept out for the failures of another model's on its node."""
    return self._records["", *name_of(replica)]


@in_place_of(f"{_STANDARD}.prequal:quantile", "usual_loads_by_hand")
def quantile_is_one_value_up(values: Sequence[int], share: float) -> int:
    """The quantile of the usual loads is the value one place above the right one."""
    ranked = sorted(values)
    return ranked[min(len(ranked) - 1, math.ceil(share * len(ranked)))] if ranked else 0


@in_place_of(f"{_STANDARD}.prequal:LatencyEstimate.at", "usual_loads_by_hand")
def newest_latency_counts(self: LatencyEstimate, in_flight: int) -> float:
    """What a replica's last request took is expected of the next one, not what is usual."""
    nearest = min(self._recent_ns, key=lambda known: (abs(known - in_flight), known), default=None)
    return 0.0 if nearest is None else float(self._recent_ns[nearest][-1])


@in_place_of(f"{_STANDARD}.prequal:LatencyEstimate.at", "usual_loads_by_hand")
def busier_one_counts_of_two(self: LatencyEstimate, in_flight: int) -> float:
    """Of two numbers in flight that are equally near, the larger one counts."""
    nearest = max(self._recent_ns, key=lambda known: (-abs(known - in_flight), known), default=None)
    return 0.0 if nearest is None else sorted(self._recent_ns[nearest])[len(self._recent_ns[nearest]) // 2]


@in_place_of(f"{_STANDARD}.zone_aware:Zones.local", "turns_by_hand")
def frontends_share_a_zone(self: Zones, replicas: Sequence[ReplicaView], frontend: int) -> list[ReplicaView]:
    """All frontends take themselves to be where the first one is."""
    return [replica for replica in replicas if self.nodes.get(replica.node) == self.frontends[0]]


@in_place_of(f"{_PREFIX}.choice:Thresholds.admits", "beginnings_by_hand")
def factor_may_not_be_exceeded(self: Thresholds, in_flight: int, least_in_flight: int) -> bool:
    """A preferred replica may have no request more than the multiple of the least loaded: `+ 1` is missing."""
    return in_flight <= least_in_flight + self.max_excess and in_flight <= least_in_flight * self.max_factor


@in_place_of(f"{_PREFIX}.index:PrefixIndex.match", "beginnings_by_hand")
def replica_that_is_gone_is_followed(
    self: PrefixIndex, chain: Chain, candidates: Container[ReplicaKey]
) -> Match | None:
    """The replica that was given most of a prompt is wanted, though it has no row any more."""
    self._forget_expired()
    for depth in range(len(chain), 0, -1):
        sighting = self._nodes.get(chain[depth - 1])
        if sighting is not None:
            return Match(sighting.replica, depth / len(chain))
    return None


@in_place_of(f"{_PREFIX}.index:PrefixIndex._share", "beginnings_by_hand")
def old_blocks_weigh_as_much(self: PrefixIndex, at_ns: int) -> int:
    """What a replica was given counts in full until it is forgotten."""
    return 1


@in_place_of(f"{_PREFIX}.index:PrefixIndex._forget_expired", "beginnings_by_hand")
def block_expires_at_its_age(self: PrefixIndex) -> None:
    """A block is forgotten when it is just as old as it may be: `>` for `>=`."""
    oldest_ns = self._clock.now_ns() - self._ttl_ns
    for node in [node for node, sighting in self._nodes.items() if sighting.seen_ns <= oldest_ns]:
        self._forget(node)


@in_place_of(f"{_PREFIX}.pressure:Pressure.reset", "pressures_by_hand")
def all_pressure_is_reset(self: Pressure, model: str) -> None:
    """A model that gets one more replica takes the pressure from all models."""
    self._recorded_ns.clear()


@in_place_of(f"{_PREFIX}.pressure:Pressure.count", "pressures_by_hand")
def pressure_lasts(self: Pressure, model: str) -> int:
    """A request that was kept from its replica counts for as long as no replica is added."""
    return len(self._recorded_ns.get(model, ()))
