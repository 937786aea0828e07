"""Health probes that wait behind the work of a serialised backend: how many time out.

The real health monitor probes the backend at regular moments, which see what any moment does. Its probes take no time
of the backend's, and rows are not deleted, so the probes do not change the queue that they see.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import exp
from typing import Final

import numpy as np

from sim.measure.recording.records import MISSING
from sim.routing.outcomes import ProbeOutcome
from sim.routing.units import NS_PER_MS, NS_PER_S
from sim.scenario.plan.plan import Plan, make_plan
from sim.study.validate.entry import Entry
from sim.study.validate.queueing import services
from sim.study.validate.queueing.arrivals import POISSON, with_drawn_demand
from sim.study.validate.queueing.controls import POOLED, Control, SeveralWorkers, less_loaded
from sim.study.validate.queueing.cost import recursion_s, simulator_s
from sim.study.validate.queueing.first_come import first_come, waits_among
from sim.study.validate.queueing.levels import TwoLevels
from sim.study.validate.queueing.served import Flags, Floats, Served
from sim.study.validate.queueing.services import Service
from sim.study.validate.queueing.station import RELAXATIONS, recorded, scenario
from sim.study.validate.queueing.theory import relaxation_time
from sim.study.validate.system import Figure, Question, figure_named

_FEWEST_PROBES = 1500
"""In each replication, besides the warm-up."""
_BETWEEN = 1.1
"""Time from probe to probe, in time-outs: one has ended before the next begins."""


@dataclass(frozen=True, slots=True)
class ProbedBackend:
    """One backend under Poisson load, probed again and again; mean service 1 s."""

    load: float
    limit_s: float
    """After which a probe has timed out."""
    service: Service
    workers: int = 1
    health: str = "serialized"

    @property
    def simulation_s(self) -> float:
        """About how many seconds the simulator takes for a replication; a probe takes about as long as two requests."""
        span_s = self._warmup_s + self._observed_s
        return simulator_s(span_s * (self.load * self.workers + 2 / self._tick_s))

    @property
    def recursion_s(self) -> float:
        """About how many seconds the recursion takes for it."""
        span_s = self._warmup_s + self._observed_s
        return recursion_s(span_s * (self.load * self.workers + 1 / self._tick_s), 1, self.workers)

    @property
    def _end_ns(self) -> int:
        return round(1000 * (self._warmup_s + self._observed_s)) * NS_PER_MS

    @property
    def _tick_ns(self) -> int:
        return round(1000 * max(self.limit_s, 0.2) * _BETWEEN) * NS_PER_MS

    @property
    def _tick_s(self) -> float:
        return self._tick_ns / NS_PER_S

    @property
    def _warmup_s(self) -> float:
        variance = max(1.0, self.service.mean_square / 2)
        return RELAXATIONS * max(variance * relaxation_time(self.load) / self.workers, 1 / (1 - self.load))

    @property
    def _observed_s(self) -> float:
        return max(self._warmup_s, _FEWEST_PROBES * self._tick_s)

    def plan(self, seed: int) -> Plan:
        """Return the requests of a replication; probes that begin after the warm-up count."""
        return with_drawn_demand(make_plan(scenario(self._text()), seed), self.service)

    def simulated(self, plan: Plan) -> "Probed":
        """Return what becomes of the health monitor's probes in the simulator."""
        records = recorded(plan)
        table = records.probes
        sent_by_monitor = table["request"] == MISSING
        return self._probed(
            table["start_ns"][sent_by_monitor] / NS_PER_S,
            table["outcome"][sent_by_monitor] == ProbeOutcome.TIMEOUT,
            Served.of(records.requests, self._warmup_s),
        )

    def recursed(self, plan: Plan) -> "Probed":
        """Return what becomes of probes at equal distances that take no time, and are served like requests."""
        served = Served.of(first_come(plan, 1, self.workers, None), self._warmup_s)
        begin_ns = np.arange(self._tick_ns, self._end_ns, self._tick_ns)
        if self.health == "event_loop":
            held_s = POOLED.rest_of_job(served, 1.0, begin_ns / NS_PER_S)
        else:
            held_s = waits_among(plan.open["arrival_ns"], plan.open["demand_ns"], begin_ns, self.workers) / NS_PER_S
        return self._probed(begin_ns / NS_PER_S, held_s > self.limit_s, served)

    def _probed(self, begin_s: Floats, has_timed_out: Flags, served: Served) -> "Probed":
        # The monitor goes on while the last requests are served, behind fewer and fewer of them.
        counts = (begin_s >= self._warmup_s) & (begin_s < self._end_ns / NS_PER_S)
        return Probed(begin_s[counts], has_timed_out[counts], served)

    def _text(self) -> str:
        # The monitor passes over a process at the node's own address, which is the first one there: the idle model's.
        return f"""
name: probed
duration: {self._end_ns // NS_PER_MS}ms
drain_limit: 24h
nodes: [{{name: n0}}]
models:
  - {{name: idle, service: {{mean: 1s}}, replicas: [{{node: n0}}]}}
  - name: m
    backend: {{workers: {self.workers}, health: {self.health}}}
    service: {self.service.text}
    replicas: [{{node: n0}}]
registry: {{transaction: 0s}}
network: {{latency: 0s}}
control_plane:
  heartbeat: 1h
  reconciler: null
  health_monitor:
    tick: {self._tick_ns // NS_PER_MS}ms
    probe_timeout: {round(1e6 * self.limit_s)}us
    stale_after: 3h
router: {{profile: fixed, liveness: none, probe: {{ttl: 2000h}}, control: {{monitor: busy_is_alive}}}}
workload: [{POISSON.workload(self.load * self.workers)}]
"""

    def controls(self, probed: "Probed") -> tuple[float, ...]:
        """Return the deviation of the mean size, of the control's wait, and of how often it would time out."""
        served = probed.served
        sizes = (served.size_deviation,) if self.service.is_random else ()
        queue = self._queue.deviation(served, self.load, self.workers, self._mean_wait)
        return (*sizes, queue, *self._timeouts(served, probed.begin_s))

    @property
    def _queue(self) -> Control:
        return SeveralWorkers() if self.workers > 1 else POOLED

    def _mean_wait(self, load: float) -> float:
        return POISSON.mean_wait(load, self.service)

    def _timeouts(self, served: Served, probes_s: Floats) -> tuple[float, ...]:
        """Return the share of probes that a less loaded server would hold up too long, less its mean."""
        load = less_loaded(self.load)
        factor = load / self.load
        limit = self.limit_s / factor
        if self.health == "event_loop":
            held_s = POOLED.rest_of_job(served, factor, probes_s)
            exact: float | None = load * _rest_above(limit, self.service)
        else:
            held_s = POOLED.work_left(served, factor, probes_s)
            exact = _work_above(load, limit, self.service)
        if exact is None or self.workers > 1:
            return ()
        return (float((held_s > self.limit_s).mean()) - exact,)


@dataclass(frozen=True, slots=True)
class Probed:
    """The probes of a replication that count, shape (probes,), and the requests."""

    begin_s: Floats
    has_timed_out: Flags
    served: Served


def share_of_timeouts(probed: Probed) -> float:
    """Return how many of the probes were not answered in time."""
    return float(probed.has_timed_out.mean())


def _work_above(load: float, limit: float, service: Service) -> float | None:
    """Return P(work left > limit) of M/M/1, and of M/D/1 below one service time; None where it is not known here."""
    if service == services.EXPONENTIAL:
        return load * exp(-(1 - load) * limit)
    if service == services.DETERMINISTIC and limit < 1:
        return 1 - (1 - load) * exp(load * limit)
    return None


def _rest_above(limit: float, service: Service) -> float:
    """Return P(rest > limit) of the job that is being done: the equilibrium tail of the service time."""
    return exp(-limit) if service == services.EXPONENTIAL else max(0.0, 1 - limit)


def behind_exponential(entry: Entry) -> Question:
    """M/M/1."""
    return _question(entry, entry.positive("ES"), services.EXPONENTIAL)


def behind_deterministic(entry: Entry) -> Question:
    """M/D/1."""
    return _question(entry, entry.positive("D"), services.DETERMINISTIC)


def behind_prefill_and_decode(entry: Entry) -> Question:
    """A constant and an exponential part."""
    constant, mean = entry.positive("D0"), entry.positive("m")
    return _question(entry, constant + mean, services.constant_and_exponential(constant / (constant + mean)))


def behind_several_workers(entry: Entry) -> Question:
    """M/M/c."""
    return _question(entry, entry.positive("ES"), services.EXPONENTIAL, entry.whole("c"))


def beside_the_queue(entry: Entry) -> Question:
    """A probe that waits for the running job alone: a backend that is one event loop."""
    if "D" in entry.parameters:
        return _question(entry, entry.positive("D"), services.DETERMINISTIC, health="event_loop")
    return _question(entry, entry.positive("ES"), services.EXPONENTIAL, health="event_loop")


_FIGURES: Final[Mapping[str, Figure]] = {"P(probe timeout)": share_of_timeouts}


def _question(entry: Entry, mean_s: float, service: Service, workers: int = 1, health: str = "serialized") -> Question:
    """Ask for the entry's quantity, with its times in mean service times."""
    backend = ProbedBackend(entry.below_one("rho"), entry.positive("timeout_s") / mean_s, service, workers, health)
    return Question(TwoLevels(backend), figure_named(entry.quantity, _FIGURES))
