"""An open station: requests from outside, a router and one or more equal servers, in the simulator as it is."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sim.measure.recording.recorder import Recorder
from sim.measure.recording.records import Records
from sim.programs.at_work import Programs
from sim.scenario import Scenario
from sim.scenario.plan.plan import Plan, make_plan
from sim.simulated.world import World
from sim.study.scenarios import loads
from sim.study.validate.queueing.arrivals import POISSON, Arrivals, with_drawn_demand
from sim.study.validate.queueing.controls import POOLED, Control, less_loaded
from sim.study.validate.queueing.served import Served
from sim.study.validate.queueing.services import EXPONENTIAL, Service
from sim.study.validate.queueing.theory import relaxation_time
from sim.study.validate.system import Figure, Replication

RELAXATIONS = 10
"""Length of the warm-up, in relaxation times."""
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
    control: Control = POOLED

    @property
    def rate_per_s(self) -> float:
        """Arrivals."""
        return self.load * self.servers * self.workers

    @property
    def cost(self) -> float:
        """About how many requests a replication simulates."""
        return self.rate_per_s * (self.warmup_s + self._observed_s)

    @property
    def warmup_s(self) -> float:
        """Ten relaxation times, and ten times 1/(1 - load), which each of many servers takes for itself."""
        variance = max(1.0, self.arrivals.burstiness + (self.service.mean_square - 2) / 2)
        together = variance * relaxation_time(self.load) / self.control.pace(self.servers, self.workers)
        return RELAXATIONS * max(together, 1 / (1 - self.load))

    @property
    def _observed_s(self) -> float:
        return max(_WARMUPS * self.warmup_s, _FEWEST_REQUESTS / self.rate_per_s)

    def replicate(self, seed: int, figures: Sequence[Figure]) -> Replication:
        """Run one replication: requests that arrive after the warm-up count, and are followed to their end."""
        served = Served.of(recorded(self._plan(seed)), self.warmup_s)
        return Replication(tuple(figure(served) for figure in figures), self._controls(served))

    def _plan(self, seed: int) -> Plan:
        plan = make_plan(scenario(self._text()), seed)
        return with_drawn_demand(self.arrivals.replanned(plan, self.rate_per_s), self.service)

    def _text(self) -> str:
        return station_text(
            self.servers,
            f"backend: {{workers: {self.workers}, health: independent}}, service: {self.service.text}",
            self.policy,
            self.arrivals.workload(self.rate_per_s),
            self.warmup_s + self._observed_s,
        )

    def _controls(self, served: Served) -> tuple[float, ...]:
        sizes = (float(served.demand_s[served.counts_from :].mean()) - 1,) if self.service.is_random else ()
        if less_loaded(self.load) <= 0:
            return sizes
        capacity = self.servers * self.workers
        return (*sizes, self.control.deviation(served, self.load, capacity, self._mean_wait))

    def _mean_wait(self, load: float) -> float:
        return self.arrivals.mean_wait(load, self.service)


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
router: {{profile: fixed, policy: {policy}}}
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
