"""Users who think, send a request and wait for its end: the machine repair model."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.scenario.plan.plan import make_plan
from sim.study.validate.entry import Entry
from sim.study.validate.queueing.cost import simulator_s
from sim.study.validate.queueing.served import Floats, Served
from sim.study.validate.queueing.services import EXPONENTIAL
from sim.study.validate.queueing.station import recorded, scenario, station_text
from sim.study.validate.system import Figure, Question, Replication, Simulated, figure_named

_WARMUP_S = 100.0
"""Many times what five users need to forget their start."""
_OBSERVED_S = 2000.0


@dataclass(frozen=True, slots=True)
class ClosedLoop:
    """`users` at one backend with `workers`; service is exponential, of mean 1 s, and so is thinking."""

    users: int
    workers: int
    think_s: float

    @property
    def cost_s(self) -> float:
        """About how many seconds a replication takes."""
        return simulator_s((_WARMUP_S + _OBSERVED_S) * min(self.workers, self.users / (1 + self.think_s)))

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run the users for a while. What they send follows from the run, so there is nothing to control by."""
        workload = (
            f"{{kind: closed, model: m, users: {self.users}, "
            f"think: {{mean: {round(1000 * self.think_s)}ms, distribution: exponential}}}}"
        )
        model = f"backend: {{workers: {self.workers}, health: independent}}, service: {EXPONENTIAL.text}"
        text = station_text(1, model, "best_replica", workload, _WARMUP_S + _OBSERVED_S)
        served = Served.of(recorded(make_plan(scenario(text), seed)).requests, 0.0)
        return Replication(tuple(figure(served) for figure in figures))


def mean_number(served: Served) -> float:
    """Return the mean number of requests that wait or are served."""
    return _over_time(served.arrival_s, served.end_s)


def mean_queue(served: Served) -> float:
    """Return the mean number of requests that wait."""
    return _over_time(served.arrival_s, served.start_s)


def mean_busy(served: Served) -> float:
    """Return the mean number of requests that are served."""
    return _over_time(served.start_s, served.end_s)


_FIGURES: Final[Mapping[str, Figure]] = {
    "mean_number": mean_number,
    "mean_queue": mean_queue,
    "mean_busy": mean_busy,
}


def machine_repair(entry: Entry) -> Question:
    """M/M/c//K with r, the service time over the time to think."""
    loop = ClosedLoop(entry.whole("K"), entry.whole("c"), 1 / entry.positive("r"))
    return Question(Simulated(loop), figure_named(entry.quantity, _FIGURES))


def _over_time(begins_s: Floats, ends_s: Floats) -> float:
    """Return how many are between their begin and their end, on average over the time that is looked at."""
    last_s = _WARMUP_S + _OBSERVED_S
    inside_s = np.clip(ends_s, _WARMUP_S, last_s) - np.clip(begins_s, _WARMUP_S, last_s)
    return float(inside_s.sum()) / _OBSERVED_S
