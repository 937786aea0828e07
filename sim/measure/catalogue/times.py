"""How long requests took, and how many were done a second."""

from collections.abc import Callable, Mapping

from sim.measure.catalogue.metric import Better, RunMetric, Shown, Unit
from sim.measure.catalogue.view import View
from sim.measure.recording.records import MISSING, Integers
from sim.measure.statistics import percentiles
from sim.routing.outcomes import Outcome
from sim.routing.units import NS_PER_S

Durations = Callable[[View], Integers]

STATISTICS = ("mean", "p50", "p90", "p95", "p99", "max")
_RANKS = (50, 90, 95, 99, 100)


def latencies_ns(view: View) -> Integers:
    """Return the time from arrival to last token of every completed request."""
    requests = view.requests
    durations: Integers = (requests["end_ns"] - requests["arrival_ns"])[requests["outcome"] == Outcome.COMPLETED]
    return durations


def throughput_per_s(view: View) -> float | None:
    """Return completed requests over the time from the window's start to the last of their completions."""
    ends_ns = view.requests["end_ns"][view.requests["outcome"] == Outcome.COMPLETED]
    if not ends_ns.size:
        return None
    served_ns = int(ends_ns.max()) - view.span.opens_ns
    return ends_ns.size / (served_ns / NS_PER_S) if served_ns > 0 else None


def _between(earlier: str, later: str) -> Durations:
    """Return a function for the times between two moments, of every request that came that far."""

    def durations_ns(view: View) -> Integers:
        earlier_ns, later_ns = view.requests[earlier], view.requests[later]
        known: Integers = (later_ns - earlier_ns)[(earlier_ns != MISSING) & (later_ns != MISSING)]
        return known

    return durations_ns


def _statistics_s(durations: Durations) -> Callable[[View], Mapping[str, float]]:
    """Return a function for all statistics of the durations; of none if there are no durations."""

    def statistics_s(view: View) -> Mapping[str, float]:
        durations_ns = durations(view)
        if not durations_ns.size:
            return {}
        figures_ns = (float(durations_ns.mean()), *percentiles(durations_ns, _RANKS))
        return {name: figure_ns / NS_PER_S for name, figure_ns in zip(STATISTICS, figures_ns, strict=True)}

    return statistics_s


def _times(family: str, sentence: str, durations: Durations, shown: tuple[str, ...] = ()) -> tuple[RunMetric, ...]:
    """Return a metric for each statistic of one kind of duration."""
    statistics_s = _statistics_s(durations)

    def of(statistic: str) -> RunMetric:
        return RunMetric(
            f"{family}.{statistic}_s",
            Unit.SECONDS,
            Better.LOWER,
            sentence,
            lambda view: view.once(statistics_s).get(statistic),
            shown=Shown.ALWAYS if statistic in shown else Shown.IF_EXPECTED,
        )

    return tuple(of(statistic) for statistic in STATISTICS)


METRICS = (
    *_times("latency", "arrival to last token, of completed requests", latencies_ns, shown=("mean", "p50", "p99")),
    *_times("ttft", "arrival to first token", _between("arrival_ns", "first_token_ns")),
    *_times("queue", "route to start of service: the wait at the backend", _between("routed_ns", "start_ns")),
    *_times("route", "arrival to route: picks, probes and loads", _between("arrival_ns", "routed_ns"), shown=("p99",)),
    RunMetric(
        "throughput_per_s",
        Unit.PER_SECOND,
        Better.HIGHER,
        "completed requests over the time from the window's start to the last of their completions",
        throughput_per_s,
    ),
)
