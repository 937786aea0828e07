"""How evenly requests that arrived together were spread."""

from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from sim.measure.analysis.readiness import ReadyTime
from sim.measure.catalogue.metric import Better, ModelMetric, Shown, Unit
from sim.measure.recording.records import MISSING, Integers


def burst_max_over_ideal(arrivals_ns: Integers, replicas: Integers, ready: Mapping[int, ReadyTime]) -> float | None:
    """Return how far a model's worst burst was from an even split: its fullest replica's requests over size / replicas.

    A burst is two or more routed requests that arrived at the same instant, and at least as many as the replicas that
    could share it: those that were `ready` (by replica code) at that instant and those it went to. The two arrays have
    an entry per request, in the order of arrival. None if there was no burst.
    """
    ratios = []
    for arrival_ns, codes in _bursts(arrivals_ns, replicas).items():
        counts = Counter(codes)
        able = {code for code, time in ready.items() if time.touches(arrival_ns, arrival_ns)}
        sharers = len(able | counts.keys())
        if len(codes) >= sharers:
            ratios.append(max(counts.values()) / (len(codes) / sharers))
    return max(ratios, default=None)


def _bursts(arrivals_ns: Integers, replicas: Integers) -> Mapping[int, list[int]]:
    """Return the replica codes of the requests that arrived together, by the instant they did."""
    if not np.any(arrivals_ns[1:] == arrivals_ns[:-1]):
        return {}
    routed = replicas != MISSING
    instants, sizes = np.unique(arrivals_ns[routed], return_counts=True)
    together = routed & np.isin(arrivals_ns, instants[sizes > 1])
    bursts: defaultdict[int, list[int]] = defaultdict(list)
    for arrival_ns, replica in zip(arrivals_ns[together].tolist(), replicas[together].tolist(), strict=True):
        bursts[arrival_ns].append(replica)
    return bursts


METRICS = (
    ModelMetric(
        "burst.max_over_ideal",
        Unit.RATIO,
        Better.LOWER,
        "requests of the fullest replica over an even share, in the worst burst: requests that arrive at one instant, "
        "as many as there are replicas or more",
        lambda model: burst_max_over_ideal(model.arrivals_ns, model.sent_to, model.ready),
        shown=Shown.ALWAYS,
    ),
)
