"""An open station: requests from outside, a router and one or more equal servers, in the simulator as it is."""

from dataclasses import dataclass
from functools import lru_cache
from math import ceil

from sim.measure.recording.recorder import Recorder
from sim.measure.recording.records import Records
from sim.programs.at_work import Programs
from sim.scenario import Scenario
from sim.scenario.plan.plan import Plan, make_plan
from sim.simulated.world import World
from sim.study.scenarios import loads
from sim.study.validate.queueing.arrivals import POISSON, Arrivals, with_drawn_demand
from sim.study.validate.queueing.controls import POOLED, Control, less_loaded
from sim.study.validate.queueing.cost import recursion_s, simulator_s
from sim.study.validate.queueing.dispatch import OldFigures
from sim.study.validate.queueing.first_come import first_come
from sim.study.validate.queueing.served import Served
from sim.study.validate.queueing.services import EXPONENTIAL, Service
from sim.study.validate.queueing.theory import relaxation_time

RELAXATIONS = 10
"""Length of the warm-up, in relaxation times."""
_READINGS = 5
"""Least length of the warm-up, in times from one reading of old figures to the next."""
_BACKLOGS = 5
"""Least length of the warm-up with old figures, in times that the spare capacity takes for a mean backlog.

Herds make long queues, which take longer to forget their start than those of one fast server. Of a Brownian motion that
is reflected at 0, whose relaxation time is 4 of these times (Abate and Whitt, Advances in Applied Probability 19, 1987,
section 2), 4 % would be missing after 5 of them. Herds settled two or three times as fast in a few runs;
by the same formula, less than 0.1 % of the mean over what is looked at is missing then.
"""
_WARMUPS = 2
"""Length of what is looked at after the warm-up, in warm-ups."""
_FEWEST_REQUESTS = 1000
"""In each replication, besides the warm-up."""


@dataclass(frozen=True, slots=True)
class Station:
    """`servers` replicas with `workers` each, all busy for the part `load` of the time; mean service 1 s."""

    load: float
    service: Service = EXPONENTIAL
    arrivals: Arrivals = POISSON
    servers: int = 1
    workers: int = 1
    policy: str = "best_replica"
    figures: OldFigures | None = None
    """What the policy sees; None for each server as it is."""
    control: Control = POOLED

    @property
    def rate_per_s(self) -> float:
        """Arrivals."""
        return self.load * self.servers * self.workers

    @property
    def warmup_s(self) -> float:
        """Ten relaxation times, and ten times 1/(1 - load), which each of many servers takes for itself."""
        variance = max(1.0, self.arrivals.burstiness + (self.service.mean_square - 2) / 2)
        together = variance * relaxation_time(self.load) / self.control.pace(self.servers, self.workers)
        slowest = RELAXATIONS * max(together, 1 / (1 - self.load))
        if self.figures is None:
            return slowest
        backlog_s = self.figures.mean_wait_s / (1 - self.load)
        return max(slowest, _READINGS * self.figures.every_s, _BACKLOGS * backlog_s)

    @property
    def observed_s(self) -> float:
        """Time after the warm-up: requests that arrive in it count, and are followed to their end."""
        least_s = max(_WARMUPS * self.warmup_s, _FEWEST_REQUESTS / self.rate_per_s)
        if self.figures is None:
            return least_s
        # Whole times between readings, since a request that arrives soon after a reading fares better.
        return ceil(least_s / self.figures.every_s) * self.figures.every_s

    def plan(self, seed: int) -> Plan:
        """Return the requests of a replication, the same for the same seed."""
        plan = make_plan(scenario(self._text()), seed)
        return with_drawn_demand(self.arrivals.replanned(plan, self.rate_per_s), self.service)

    @property
    def simulation_s(self) -> float:
        """About how many seconds the simulator takes for a replication."""
        return simulator_s(self._size, self.servers)

    @property
    def recursion_s(self) -> float:
        """About how many seconds the recursion takes for it."""
        return recursion_s(self._size, self.servers, self.workers)

    def simulated(self, plan: Plan) -> Served:
        """Return what the simulator makes of the requests."""
        return Served.of(recorded(plan).requests, self.warmup_s)

    def recursed(self, plan: Plan) -> Served:
        """Return what the recursion makes of them."""
        return Served.of(first_come(plan, self.servers, self.workers, self.figures), self.warmup_s)

    def controls(self, served: Served) -> tuple[float, ...]:
        """Return how far mean size, number of arrivals and mean wait at a known queue are from their means."""
        sizes = (served.size_deviation,) if self.service.is_random else ()
        arrivals = len(served.arrival_s) - served.counts_from - self.rate_per_s * self.observed_s
        counts = (float(arrivals),) if self.arrivals == POISSON else ()
        if less_loaded(self.load) <= 0:
            return (*sizes, *counts)
        capacity = self.servers * self.workers
        return (*sizes, *counts, self.control.deviation(served, self.load, capacity, self._mean_wait))

    @property
    def _size(self) -> float:
        """About how many requests a replication has."""
        return self.rate_per_s * (self.warmup_s + self.observed_s)

    def _mean_wait(self, load: float) -> float:
        return self.arrivals.mean_wait(load, self.service)

    def _text(self) -> str:
        return station_text(
            self.servers,
            f"backend: {{workers: {self.workers}, health: independent}}, service: {self.service.text}",
            self.policy if self.figures is None else f"{self.policy}, replica_list: {self.figures.text}",
            self.arrivals.workload(self.rate_per_s),
            self.warmup_s + self.observed_s,
        )


def station_text(servers: int, model: str, policy: str, workload: str, duration_s: float) -> str:
    """Return a scenario of equal replicas whose registry and network take no time."""
    nodes = ", ".join(f"{{name: n{number}}}" for number in range(servers))
    replicas = ", ".join(f"{{node: n{number}}}" for number in range(servers))
    return f"""
name: validation
duration: {round(1000 * duration_s)}ms
drain_limit: 2000h
nodes: [{nodes}]
models: [{{name: m, {model}, replicas: [{replicas}]}}]
registry: {{transaction: 0s}}
network: {{latency: 0s}}
router: {{profile: fixed, liveness: none, policy: {policy}}}
workload: [{workload}]
"""


@lru_cache(maxsize=8)
def scenario(text: str) -> Scenario:
    """Read a scenario of one variant."""
    (variant,) = loads(text).variants.values()
    return variant


def recorded(plan: Plan) -> Records:
    """Run the plan to its end, and return what was recorded."""
    recorder = Recorder()
    with Programs() as programs:
        World(plan, [recorder], programs).run()
    return recorder.records
