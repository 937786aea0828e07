"""How evenly requests that arrived together were spread."""

from collections.abc import Mapping

from sim.measure.analysis.bursts import bursts
from sim.measure.analysis.readiness import ReadyTime
from sim.measure.catalogue.metric import Better, ModelMetric, Shown, Unit
from sim.measure.recording.records import Integers


def burst_max_over_ideal(arrivals_ns: Integers, replicas: Integers, ready: Mapping[int, ReadyTime]) -> float | None:
    """Return how far a model's worst burst was from an even split: its fullest replica's requests over size / replicas.

    It takes what `bursts` takes. None if there was no burst.
    """
    return max((burst.max_over_ideal for burst in bursts(arrivals_ns, replicas, ready)), default=None)


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
