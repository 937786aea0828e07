"""Whether a model's requests pile up, by a test for an upward trend of how many there are, or are too many to serve."""

from collections.abc import Mapping, Sequence
from enum import IntEnum

import numpy as np

from sim.measure.recording.records import MISSING, Integers

INSTANTS = 20
"""At which requests are counted, evenly over the time in which they arrive."""
LEAST_ARRIVALS = 100
"""With fewer, a queue that is merely busy looks like one that grows."""
_LEAST_SHARE = 0.05
_QUANTILE = 3.090
"""Of the standard normal distribution at 99.9 %."""


class LoadVerdict(IntEnum):
    """What becomes of the requests in the long run. The numbers are the figures of the metric."""

    STABLE = 0
    """As many leave as arrive."""
    BACKLOGGED = 1
    """They pile up, though the replicas together could serve them."""
    OVERLOADED = 2
    """There is more work than the replicas can do: they pile up, or go unserved."""


def warning(variant: str, runs: Sequence[Mapping[str, float]]) -> str | None:
    """Return a sentence, without its stop, on a variant whose requests pile up on any of the runs.

    The runs are given by their metrics. None if none of them has more than it can do, or the verdict is not known.
    """
    known = [LoadVerdict(int(run["load.verdict"])) for run in runs if "load.verdict" in run]
    growing = [verdict for verdict in known if verdict is not LoadVerdict.STABLE]
    if not growing:
        return None
    worst = max(growing)
    seeds = f" on {len(growing)} of {len(known)} seeds" if len(known) > 1 else ""
    or_else = ", or requests go unserved" if worst is LoadVerdict.OVERLOADED else ""
    return f"{variant} is {worst.name.lower()}{seeds}: its times grow with the length of the run{or_else}"


def verdict(present: Integers, arrivals: int, unserved: int, utilization: float | None) -> LoadVerdict:
    """Return what becomes of the requests.

    `present` is how many there were at each instant, shape (instants,). `unserved` of the `arrivals` were never
    completed. `utilization` is offered work over capacity, None if it is not known.
    """
    are_too_many = utilization is not None and utilization >= 1
    if piles_up(present, arrivals):
        return LoadVerdict.OVERLOADED if are_too_many else LoadVerdict.BACKLOGGED
    # A request that has failed, or whose client has left, is not in anybody's way: an overload need not pile up.
    is_relieved = unserved >= _LEAST_SHARE * arrivals
    return LoadVerdict.OVERLOADED if are_too_many and is_relieved else LoadVerdict.STABLE


def piles_up(present: Integers, arrivals: int) -> bool:
    """Tell whether the number present, counted at even steps, goes up, and by 5 % of the arrivals at least.

    That it goes up is tested at 0.1 % (Mann, Nonparametric tests against trend, Econometrica 1945; Kendall, Rank
    Correlation Methods, 4th ed. 1975, with his correction for ties), and by how much is Sen's slope (JASA 1968). The
    counts of a queue depend on each other, so the second condition is what keeps false alarms rare: of queues M/M/1 at
    80 % load, fewer than one in ten with 100 arrivals and one in thirty with 300. Close to full load a queue takes
    longer than a short run to settle, and may be taken for one that grows.
    """
    earlier, later = np.triu_indices(present.size, 1)
    rises = present[later] - present[earlier]
    _, ties = np.unique(present, return_counts=True)
    variance = (_ordered_pairs(np.array(present.size)) - np.sum(_ordered_pairs(ties))) / 18
    if variance <= 0 or (np.sum(np.sign(rises)) - 1) / np.sqrt(variance) <= _QUANTILE:
        return False
    slope = float(np.median(rises / (later - earlier)))
    return slope * present.size >= _LEAST_SHARE * arrivals


def present_at(instants_ns: Integers, arrivals_ns: Integers, ends_ns: Integers) -> Integers:
    """Return how many requests have arrived and not ended at each instant; shape (instants,).

    The instants are ascending. Arrivals and ends have an entry per request; the end of one that goes on is MISSING.
    """
    return _up_to(instants_ns, arrivals_ns) - _up_to(instants_ns, ends_ns[ends_ns != MISSING])


def _up_to(instants_ns: Integers, times_ns: Integers) -> Integers:
    # Sorted into the few instants: the times themselves would take far longer to sort.
    counts = np.bincount(np.searchsorted(instants_ns, times_ns), minlength=instants_ns.size + 1)
    sums: Integers = np.cumsum(counts[: instants_ns.size])
    return sums


def _ordered_pairs(count: Integers) -> Integers:
    return count * (count - 1) * (2 * count + 5)
