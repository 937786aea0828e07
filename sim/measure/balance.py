"""How the requests of a window were spread over the replicas that were there to take them."""

from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from sim.measure import fairness
from sim.measure.readiness import ReadyTime, ready_times, replica_use
from sim.measure.records import MISSING, Integers, Records
from sim.measure.window import Span
from sim.routing.outcomes import Outcome
from sim.routing.replica import ReplicaKey

_INDICES = {
    "jain": fairness.jain,
    "max_over_mean": fairness.max_over_mean,
    "cv": fairness.cv,
    "gini": fairness.gini,
    "entropy": fairness.entropy,
    "busiest_share": fairness.busiest_share,
}


def balance_metrics(records: Records, span: Span, workers: Mapping[ReplicaKey, int]) -> dict[str, float]:
    """Return the metrics `fairness.*`, `burst.*` and `replicas.*` of the window.

    A replica counts if it was ready at some time between the window's start and the last arrival in it, or completed
    a request that arrived in it. Replicas of different models count alike, side by side.

    - `fairness.<index>`: over the number of completed requests per replica, and `fairness.busy_<index>` over the time
      each spent serving them; `fairness.jain_random` is the mean of `jain` if as many requests were thrown at random.
    - `fairness.longest_streak`: most completed requests in a row, by arrival, on one replica.
    - `burst.max_over_ideal`: see `burst_max_over_ideal`.
    - `replicas.<node>#<index>.requests` and `.share` count completed requests; `.utilization` is the part of its ready
      time in the window that each of its workers served.
    """
    ready = ready_times(records)
    requests = span.rows(records.requests, "arrival_ns")
    completed = (requests["outcome"] == Outcome.COMPLETED) & (requests["replica"] != MISSING)
    served_by = requests["replica"][completed]
    last_arrival_ns = int(requests["arrival_ns"].max()) if requests["arrival_ns"].size else span.closes_ns
    present = {code for code, time in ready.items() if time.touches(span.opens_ns, last_arrival_ns)}
    counted = sorted(present | set(served_by.tolist()))
    metrics: dict[str, float] = {}
    if served_by.size:
        service_ns = np.where(requests["start_ns"] == MISSING, 0, requests["end_ns"] - requests["start_ns"])[completed]
        metrics |= _fairness(served_by, service_ns, counted)
    burst = burst_max_over_ideal(
        requests["model"], requests["arrival_ns"], requests["replica"], _by_model(records, ready)
    )
    if burst is not None:
        metrics["burst.max_over_ideal"] = burst
    return metrics | _replica_metrics(records, span, ready, served_by, counted, workers)


def burst_max_over_ideal(
    models: Integers, arrivals_ns: Integers, replicas: Integers, ready: Mapping[int, Mapping[int, ReadyTime]]
) -> float | None:
    """Return how far the worst burst was from an even split: its fullest replica's requests over size / replicas.

    A burst is two or more routed requests of one model that arrived at the same instant, and at least as many as the
    replicas that could share it: those of `ready` (by model code, by replica code) at that instant and those it went
    to. Each of the first three arrays has one entry per request. None if there was no burst.
    """
    worst: float | None = None
    for (arrival_ns, model), codes in _bursts(models, arrivals_ns, replicas).items():
        counts = Counter(codes)
        able = {code for code, time in ready.get(model, {}).items() if time.touches(arrival_ns, arrival_ns)}
        sharers = len(able | counts.keys())
        if len(codes) >= sharers:
            ratio = max(counts.values()) / (len(codes) / sharers)
            worst = ratio if worst is None else max(worst, ratio)
    return worst


def _bursts(models: Integers, arrivals_ns: Integers, replicas: Integers) -> dict[tuple[int, int], list[int]]:
    if not np.any(arrivals_ns[1:] == arrivals_ns[:-1]):
        return {}
    routed = replicas != MISSING
    instants, sizes = np.unique(arrivals_ns[routed], return_counts=True)
    together = routed & np.isin(arrivals_ns, instants[sizes > 1])
    bursts: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    rows = zip(arrivals_ns[together].tolist(), models[together].tolist(), replicas[together].tolist(), strict=True)
    for arrival_ns, model, replica in rows:
        bursts[arrival_ns, model].append(replica)
    return {burst: codes for burst, codes in bursts.items() if len(codes) > 1}


def _by_model(records: Records, ready: Mapping[int, ReadyTime]) -> dict[int, dict[int, ReadyTime]]:
    keys = list(records.replicas)
    by_model: dict[int, dict[int, ReadyTime]] = {}
    for code, time in ready.items():
        model = records.models.get(keys[code].model, MISSING)
        by_model.setdefault(model, {})[code] = time
    return by_model


def _fairness(served_by: Integers, service_ns: Integers, counted: list[int]) -> dict[str, float]:
    requests = [int(np.count_nonzero(served_by == code)) for code in counted]
    busy_ns = [int(service_ns[served_by == code].sum()) for code in counted]
    metrics: dict[str, float] = {f"fairness.{name}": index(requests) for name, index in _INDICES.items()}
    metrics["fairness.longest_streak"] = fairness.longest_streak(served_by)
    metrics["fairness.jain_random"] = fairness.jain_of_random_split(served_by.size, len(counted))
    if any(busy_ns):
        metrics |= {f"fairness.busy_{name}": index(busy_ns) for name, index in _INDICES.items()}
    return metrics


def _replica_metrics(
    records: Records,
    span: Span,
    ready: dict[int, ReadyTime],
    served_by: Integers,
    counted: list[int],
    workers: Mapping[ReplicaKey, int],
) -> dict[str, float]:
    keys = list(records.replicas)
    service_is_known = np.any(records.requests["start_ns"] != MISSING)
    use = replica_use(records, ready, span.opens_ns, span.closes_ns, span.end_ns)
    requests: Counter[str] = Counter()
    busy_ns: Counter[str] = Counter()
    capacity_ns: Counter[str] = Counter()
    for code in counted:
        # Models may share a place: what they do there is added up.
        place = str(keys[code])
        requests[place] += int(np.count_nonzero(served_by == code))
        if code in use:
            busy_ns[place] += use[code].busy_while_ready_ns
            capacity_ns[place] += use[code].ready_ns * workers.get(keys[code], 1)
    metrics: dict[str, float] = {}
    for place, number in requests.items():
        metrics[f"replicas.{place}.requests"] = number
        if served_by.size:
            metrics[f"replicas.{place}.share"] = number / served_by.size
        if capacity_ns[place] and service_is_known:
            metrics[f"replicas.{place}.utilization"] = busy_ns[place] / capacity_ns[place]
    return metrics
