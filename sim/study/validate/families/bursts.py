"""Requests that come in groups: again and again at a busy station, or once at an idle one."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from sim.scenario.plan.plan import Plan, make_plan
from sim.study.validate.entry import Entry
from sim.study.validate.families.one_node import question
from sim.study.validate.queueing.arrivals import Batches
from sim.study.validate.queueing.cost import recursion_s, simulator_s
from sim.study.validate.queueing.first_come import first_come
from sim.study.validate.queueing.levels import TwoLevels
from sim.study.validate.queueing.served import Served, mean_sojourn
from sim.study.validate.queueing.services import EXPONENTIAL
from sim.study.validate.queueing.station import Station, recorded, scenario, station_text
from sim.study.validate.system import Figure, Question, figure_named

_BURSTS = 50
"""In each replication."""
_APART = 8
"""Time between bursts, in mean times that one server takes for all of one; a few standard deviations above 1."""


def fixed_batches(entry: Entry) -> Question:
    """M^X/M/c: groups of K."""
    workers = entry.whole("c") if "c" in entry.parameters else 1
    return question(entry, Station(entry.below_one("rho"), arrivals=Batches(entry.whole("K")), workers=workers))


def geometric_batches(entry: Entry) -> Question:
    """M^X/M/1: groups of 1, 2, ... with a geometric law."""
    batches = Batches(entry.whole("mean_batch"), is_geometric=True)
    return question(entry, Station(entry.below_one("rho"), arrivals=batches))


@dataclass(frozen=True, slots=True)
class Bursts:
    """Bursts at idle servers, so far apart that none meets the one before. Service is exponential, of mean 1 s."""

    requests: int
    """Of each burst."""
    servers: int
    workers: int = 1
    policy: str = "best_replica"

    load: float = 0.0

    @property
    def simulation_s(self) -> float:
        """About how many seconds the simulator takes for a replication."""
        return simulator_s(_BURSTS * self.requests, self.servers)

    @property
    def recursion_s(self) -> float:
        """About how many seconds the recursion takes for it."""
        return recursion_s(_BURSTS * self.requests, self.servers, self.workers)

    def plan(self, seed: int) -> Plan:
        """Return some bursts."""
        return make_plan(scenario(self._text()), seed)

    def simulated(self, plan: Plan) -> Served:
        """Return what the simulator makes of the bursts."""
        return Served.of(recorded(plan).requests, 0.0)

    def recursed(self, plan: Plan) -> Served:
        """Return what the recursion makes of them."""
        return Served.of(first_come(plan, self.servers, self.workers, None), 0.0)

    def controls(self, served: Served) -> tuple[float, ...]:
        """Return the deviation of the mean size."""
        return (served.size_deviation,)

    def _text(self) -> str:
        every_s = _APART * self.requests
        return station_text(
            self.servers,
            f"backend: {{workers: {self.workers}, health: independent}}, service: {EXPONENTIAL.text}",
            self.policy,
            f"{{kind: burst, model: m, at: 1s, requests: {self.requests}, every: {every_s}s}}",
            1 + every_s * (_BURSTS - 0.5),
        )


def mean_makespan(served: Served) -> float:
    """Return the mean time from a burst to the end of its last request, in s."""
    bursts, first = np.unique(served.arrival_s, return_index=True)
    return float((np.maximum.reduceat(served.end_s, first) - bursts).mean())


_FIGURES: Final[Mapping[str, Figure]] = {"mean_sojourn": mean_sojourn, "makespan": mean_makespan}


def central_queue(entry: Entry) -> Question:
    """One backend with a worker for each server."""
    return _question(entry, Bursts(entry.whole("b"), 1, entry.whole("servers")))


def even_split(entry: Entry) -> Question:
    """Each sees what the ones before it were sent."""
    return _question(entry, Bursts(entry.whole("b"), entry.whole("servers"), policy="least_in_flight"))


def random_split(entry: Entry) -> Question:
    """Each request for itself."""
    return _question(entry, Bursts(entry.whole("b"), entry.whole("servers"), policy="random"))


def herd(entry: Entry) -> Question:
    """All that see the same snapshot go to the same server."""
    policy = "{name: snapshot, refresh_s: 1}"
    return _question(entry, Bursts(entry.whole("b"), entry.whole("servers"), policy=policy))


def _question(entry: Entry, bursts: Bursts) -> Question:
    return Question(TwoLevels(bursts), figure_named(entry.quantity, _FIGURES))
