"""How even a number of requests falls over servers, if the router looks at nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sim.measure.analysis.fairness import jain, max_over_mean
from sim.scenario.plan.plan import make_plan
from sim.study.validate.entry import Entry
from sim.study.validate.queueing.cost import simulator_s
from sim.study.validate.queueing.station import recorded, scenario, station_text
from sim.study.validate.system import CannotExpress, Figure, Question, Replication, Simulated

_REQUESTS = 2000
"""About, in each replication: blocks of requests that follow each other, and each block is a sample."""
_FEWEST_BLOCKS = 4

Counts = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Split:
    """Blocks of requests over equal servers that are never busy for long."""

    requests: int
    """Of each block."""
    servers: int
    policy: str

    @property
    def cost_s(self) -> float:
        """About how many seconds a replication takes."""
        return simulator_s(self._size, self.servers)

    @property
    def _size(self) -> int:
        """Requests of a replication."""
        return self.requests * max(_FEWEST_BLOCKS, _REQUESTS // self.requests)

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Send the blocks one after the other; each figure is the mean over them."""
        text = station_text(
            self.servers,
            "backend: {health: independent}, service: {mean: 100ms, distribution: deterministic}",
            self.policy,
            f"{{kind: uniform, model: m, rate: {float(self.servers)!r}/s}}",
            (self._size + 1) / self.servers,
        )
        chosen = recorded(make_plan(scenario(text), seed)).requests["replica"][: self._size]
        counts = [np.bincount(block, minlength=self.servers) for block in chosen.reshape(-1, self.requests)]
        return Replication(tuple(float(np.mean([figure(one) for one in counts])) for figure in figures))


def spread(counts: Counts) -> float:
    """Return the largest count less the smallest."""
    return float(counts.max() - counts.min())


def random_split(entry: Entry) -> Question:
    """Each request for itself."""
    return _question(entry, "random")


def in_turn(entry: Entry) -> Question:
    """One after the other."""
    return _question(entry, "round_robin")


def herd(entry: Entry) -> Question:
    """All to the replica that was first in a snapshot."""
    return Question(Simulated(Split(10, entry.whole("k"), "{name: snapshot, refresh_s: 1000000}")), jain)


def _question(entry: Entry, policy: str) -> Question:
    figures: dict[str, Callable[[Counts], float]] = {
        "E[J]": jain,
        "J": jain,
        "E[max/mean]": max_over_mean,
        "max-min": spread,
    }
    if entry.quantity not in figures:
        raise CannotExpress("their simulation has no standard error")
    split = Split(entry.whole("n"), entry.whole("k"), policy)
    return Question(Simulated(split), figures[entry.quantity])
