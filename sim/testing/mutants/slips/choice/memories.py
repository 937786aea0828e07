"""Slips in what policies keep apart: models, nodes, replicas of one node, and loads that are usual or not."""

import math
from collections.abc import Sequence

from sim.routing.policies.port import ReplicaView
from sim.routing.policies.standard.outlier_ejection import OutlierEjection, _Record
from sim.routing.policies.standard.peak_ewma import PeakCost, PeakEwma
from sim.routing.policies.standard.prequal import LatencyEstimate, Prequal
from sim.routing.policies.standard.rotation import Rotation, name_of
from sim.testing.mutants.mutant import in_place_of

_STANDARD = "sim.routing.policies.standard"


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
