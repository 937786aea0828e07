"""The names of all metrics: what an expectation may ask for and what a summary may report."""

import re

from sim.scenario.text import errors

TIMES = ("latency", "ttft", "queue", "route")
"""Distributions of time: arrival to last token, to first token, wait at the backend, time to get a route."""
TIME_STATISTICS = ("mean", "p50", "p90", "p95", "p99", "max")
FAIRNESS = ("jain", "max_over_mean", "cv", "gini", "entropy", "busiest_share")
"""Measures over requests per replica; each also over busy time, as `fairness.busy_*`."""
REPLICA_FIGURES = ("requests", "share", "utilization")

METRIC_NAMES: tuple[str, ...] = (
    *(f"requests.{end}" for end in ("offered", "completed", "failed", "rejected", "cancelled", "unfinished")),
    *(f"{time}.{statistic}_s" for time in TIMES for statistic in TIME_STATISTICS),
    "throughput_per_s",
    *(f"fairness.{measure}" for measure in (*FAIRNESS, "longest_streak", "jain_random")),
    *(f"fairness.busy_{measure}" for measure in FAIRNESS),
    "burst.max_over_ideal",
    *(f"probes.{end}" for end in ("sent", "ok", "timeouts", "failed", "coalesced", "cache_hits", "false_dead")),
    "rows.removed",
    "rows.removed_alive",
    "rows.evicted",
    "rows.stale_s",
    "scaling.ups",
    "scaling.downs",
    "scaling.below_min_s",
    "nodes.offline",
    "nodes.detection_max_s",
    "faults.struck",
    "installs.started",
    "installs.redundant",
    "loads.started",
    "loads.redundant",
    "loads.failed",
    "in_flight.final",
    "in_flight.drift_s",
    "in_flight.floor_hits",
    "registry.transactions",
    "registry.lock_wait_p99_s",
)
"""Every fixed name; `replicas.<node>#<index>.<figure>` comes on top."""

_KNOWN = frozenset(METRIC_NAMES)
_REPLICA = re.compile(rf"replicas\.(?P<node>.+)#(?P<index>0|[1-9][0-9]{{0,3}})\.(?:{'|'.join(REPLICA_FIGURES)})")


def is_metric(name: str) -> bool:
    """Tell whether a metric of this name can exist."""
    return name in _KNOWN or replica_of(name) is not None


def replica_of(name: str) -> tuple[str, int] | None:
    """Return the node and index that a replica's metric is about; None for any other name."""
    match = _REPLICA.fullmatch(name)
    return (match["node"], int(match["index"])) if match else None


def nearest(name: str) -> str:
    """Return the fixed name that resembles this one most, or an empty text."""
    return errors.nearest(name, METRIC_NAMES)
