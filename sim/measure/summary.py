"""One run as flat, named numbers: the metrics that expectations, comparisons and reports are written in."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sim.measure.balance import balance_metrics
from sim.measure.events import EVICTED, EventKind, Flag, has, status_flag, values
from sim.measure.fleet import below_minimum_ns, detections_ns, stale_ns
from sim.measure.records import MISSING, Booleans, Integers, Records
from sim.measure.statistics import percentiles
from sim.measure.window import Span, Window
from sim.routing.outcomes import Outcome, ProbeOutcome, Source
from sim.routing.replica import ReplicaKey
from sim.routing.states import NodeStatus

_NS_PER_S = 1e9


@dataclass(frozen=True, slots=True)
class Totals:
    """What only the world can count over a whole run."""

    transactions: int
    """Registry transactions, those that waited for no lock included."""
    floor_hits: int
    """Times a row's in-flight count was to be taken below 0."""
    final_in_flight: int
    """Sum of the rows' in-flight counts at the end."""
    drift_ns: int | None
    """Integral over time of the distance between stored and true in-flight count, summed over the rows.

    None if the world cannot tell.
    """
    end_ns: int


def summarise(
    records: Records,
    totals: Totals,
    window: Window | None = None,
    *,
    warmup_ns: int = 0,
    workers: Mapping[ReplicaKey, int] | None = None,
    minimums: Mapping[str, int] | None = None,
) -> dict[str, float]:
    """Return the metrics of the requests that arrived in the window, and of what else happened in it.

    Requests count by arrival, picks by their time, probes by their start, events by their time. Whatever is earlier
    than `warmup_ns` is left out. Names end in their unit; a name without one is a count or a ratio. A metric that does
    not apply is absent: `registry.*` and `in_flight.*` unless the window takes in the whole run after the warm-up, and
    any figure over requests where there are none. `workers` (1 where it says nothing) is how many requests each
    replica serves at a time; `minimums` is how many replicas a model should have, of those that should have any.

    - `latency`: arrival to last token of completed requests; `ttft`: arrival to first token; `queue`: route to start
      of service; `route`: arrival to route; of every request that came that far.
    - `throughput_per_s`: completed requests over the time from the window's start to the last of their completions.
    """
    span = Span.of(window or Window(), warmup_ns, totals.end_ns)
    metrics: dict[str, float] = {
        **_request_metrics(records, span),
        **balance_metrics(records, span, workers or {}),
        **_probe_metrics(records, span),
        **_event_metrics(records, span),
        **_fleet_metrics(records, span, minimums or {}),
    }
    if span.is_whole_run:
        metrics.update(_whole_run_metrics(records, totals))
    # Adding 0.0 turns -0.0 into 0.0, so that equal figures also print alike.
    return {name: value if isinstance(value, int) else float(value) + 0.0 for name, value in metrics.items()}


def _request_metrics(records: Records, span: Span) -> dict[str, float]:
    requests = span.rows(records.requests, "arrival_ns")
    outcome, arrival, end = requests["outcome"], requests["arrival_ns"], requests["end_ns"]
    completed = outcome == Outcome.COMPLETED
    latency = (end - arrival)[completed]
    metrics: dict[str, float] = {"requests.offered": len(outcome)}
    for kind in Outcome:
        metrics[f"requests.{kind.name.lower()}"] = _count(outcome == kind)
    metrics["requests.unfinished"] = _count(outcome == MISSING)
    metrics |= _times("latency", latency)
    metrics |= _times("ttft", _between(arrival, requests["first_token_ns"]))
    metrics |= _times("queue", _between(requests["routed_ns"], requests["start_ns"]))
    metrics |= _times("route", _between(arrival, requests["routed_ns"]))
    if latency.size and (served_ns := int(end[completed].max()) - span.opens_ns) > 0:
        metrics["throughput_per_s"] = latency.size / (served_ns / _NS_PER_S)
    return metrics


def _times(name: str, durations_ns: Integers) -> dict[str, float]:
    if not durations_ns.size:
        return {}
    p50, p90, p95, p99, largest = percentiles(durations_ns, (50, 90, 95, 99, 100))
    return {
        f"{name}.mean_s": float(durations_ns.mean()) / _NS_PER_S,
        f"{name}.p50_s": p50 / _NS_PER_S,
        f"{name}.p90_s": p90 / _NS_PER_S,
        f"{name}.p95_s": p95 / _NS_PER_S,
        f"{name}.p99_s": p99 / _NS_PER_S,
        f"{name}.max_s": largest / _NS_PER_S,
    }


def _between(earlier: Integers, later: Integers) -> Integers:
    known: Integers = (later - earlier)[(earlier != MISSING) & (later != MISSING)]
    return known


def _probe_metrics(records: Records, span: Span) -> dict[str, float]:
    probes = span.rows(records.probes, "start_ns")
    outcome, alive = probes["outcome"], probes["process_alive"]
    source = span.rows(records.picks, "t_ns")["source"]
    return {
        "probes.sent": len(outcome),
        "probes.ok": _count(outcome == ProbeOutcome.OK),
        "probes.timeouts": _count(outcome == ProbeOutcome.TIMEOUT),
        "probes.failed": _count(outcome == ProbeOutcome.FAILED),
        "probes.coalesced": _count(source == Source.SHARED),
        "probes.cache_hits": _count(source == Source.FRESH),
        "probes.false_dead": _count((outcome != ProbeOutcome.OK) & (alive == 1)),
    }


def _event_metrics(records: Records, span: Span) -> dict[str, float]:
    events = span.rows(records.events, "t_ns")
    kind, cause, redundant = events["kind"], events["cause"], values(events, Flag.REDUNDANT) == 1
    removed, load_ended = kind == EventKind.ROW_REMOVED, kind == EventKind.LOAD_ENDED
    install_started, load_started = kind == EventKind.INSTALL_STARTED, kind == EventKind.LOAD_STARTED
    return {
        "rows.removed": _count(removed),
        "rows.removed_alive": _count(values(events, Flag.PROCESS_ALIVE) == 1),
        "installs.started": _count(install_started),
        "installs.redundant": _count(install_started & redundant),
        "loads.started": _count(load_started),
        "loads.redundant": _count(load_started & redundant),
        "loads.failed": _count(load_ended & (cause != MISSING)),
    }


def _fleet_metrics(records: Records, span: Span, minimums: Mapping[str, int]) -> dict[str, float]:
    events = span.rows(records.events, "t_ns")
    kind, cause = events["kind"], events["cause"]
    scaled_by = events["flag"][has(events, Flag.SCALED_BY)]
    metrics: dict[str, float] = {
        "rows.evicted": _count((kind == EventKind.ROW_REMOVED) & (cause == records.causes.get(EVICTED))),
        "scaling.ups": int(np.sum(scaled_by[scaled_by > 0])),
        "scaling.downs": int(-np.sum(scaled_by[scaled_by < 0])),
        "nodes.offline": _count(values(events, Flag.STATUS) == status_flag(NodeStatus.OFFLINE)),
        "faults.struck": _count(kind == EventKind.FAULT_STRUCK),
    }
    if np.any(records.events["kind"] == EventKind.PROCESS_ENDED):
        metrics["rows.stale_s"] = stale_ns(records, span.opens_ns, span.closes_ns) / _NS_PER_S
    if minimums:
        below_ns = below_minimum_ns(records, minimums, span.opens_ns, span.closes_ns)
        metrics["scaling.below_min_s"] = below_ns / _NS_PER_S
    if span.is_whole_run and (detections := detections_ns(records)):
        metrics["nodes.detection_max_s"] = max(detections) / _NS_PER_S
    return metrics


def _whole_run_metrics(records: Records, totals: Totals) -> dict[str, float]:
    metrics: dict[str, float] = {
        "in_flight.final": totals.final_in_flight,
        "in_flight.floor_hits": totals.floor_hits,
        "registry.transactions": totals.transactions,
    }
    if totals.drift_ns is not None:
        metrics["in_flight.drift_s"] = totals.drift_ns / _NS_PER_S
    if totals.transactions:
        waits = records.lock_waits["wait_ns"]
        all_waits = np.zeros(max(totals.transactions, waits.size))
        all_waits[: waits.size] = waits
        metrics["registry.lock_wait_p99_s"] = percentiles(all_waits, (99,))[0] / _NS_PER_S
    return metrics


def _count(which: Booleans) -> int:
    return int(np.count_nonzero(which))
