"""The simulated twin of a live run: the same requests, on a machine with the measured costs."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain

from sim.live.cluster.calibration import CROWD, Calibration, Sample
from sim.measure.result import RunResult
from sim.routing.units import NS_PER_S
from sim.scenario import ModelSpec, NetworkSpec, Plan, RegistrySpec, Scenario, ScenarioFile, make_plan
from sim.simulated.measured_machine import CallTimes, MachineTimes, MeasuredMachine
from sim.study.run import run_scenario

INSTANT_NS = 1
"""What a statement takes the twin's database itself. The measured time is that of the frontend; but a statement that
takes no time at all would not wait for the pick that holds its row."""


def replications(
    scenario: Scenario, variant: str, measured: Sequence[Calibration], time_scale: float, count: int
) -> Iterator[RunResult]:
    """Yield simulated runs of the very requests of a live run; they differ in what the machine took for them.

    `measured` are calibrations from around the live run. The replications take turns with them, and with the installs
    that each has measured, and go from the quickest half of what was measured to the slowest.
    """
    for number in range(count):
        round_, turn = divmod(number, len(measured))
        calibration = measured[turn]
        installs_ns = calibration.install.durations_ns
        twin = simulated_twin(scenario, calibration.database, installs_ns[round_ % len(installs_ns)] / time_scale)
        slowness = number / max(1, count - 1)
        machine = MeasuredMachine(machine_times(calibration, time_scale), number, slowness)
        yield run_scenario(twin, variant, machine=machine)


def of_the_same_picks(
    file: ScenarioFile, variant: str, measured: Mapping[str, Sequence[Calibration]]
) -> list[Calibration]:
    """Return all calibrations with picks of the variant's mode, from those around the run of each variant.

    The two around a variant's own run hold 80 calls of each kind. A route is made of about four, so its p99 is what one
    call in 400 does.
    """
    pick = file.variants[variant].router.pick
    alike = (around for other, around in measured.items() if file.variants[other].router.pick == pick)
    return list(chain.from_iterable(alike))


def simulated_twin(scenario: Scenario, database: str, install_ns: float) -> Scenario:
    """Return the scenario without latencies of its own, which the machine has instead.

    SQLite lets one transaction write at a time, so its picks are serial whatever the scenario asks for. No process
    starts faster than the machine can start one, which takes it `install_ns` of scenario time.
    """
    router = scenario.router
    if database == "sqlite":
        router = router.model_copy(update={"pick": "serial"})
    return scenario.model_copy(
        update={
            "registry": RegistrySpec.model_construct(transaction_ns=INSTANT_NS, pick_ns=None),
            "network": NetworkSpec.model_construct(latency_ns=0),
            "router": router,
            "models": tuple(_slowly_installed(model, round(install_ns)) for model in scenario.models),
        }
    )


def machine_times(measured: Calibration, time_scale: float) -> MachineTimes:
    """Return the measured times in scenario time, by what they belong to."""

    def scaled(sample: Sample, factor: float = 1, less_ns: int = 0) -> tuple[int, ...]:
        return tuple(round(max(0, ns - less_ns) * factor / time_scale) for ns in sample.durations_ns)

    return MachineTimes(
        # The driver for SQLite waits for the database in a thread of its own.
        is_one_queue=measured.database != "sqlite",
        # Of clients that wait for the same instant, one wakes the loop up for all.
        wake_up=CallTimes(scaled(measured.wake_up), (0,)),
        statement=CallTimes(scaled(measured.touch), scaled(measured.crowded_touch)),
        pick=CallTimes(scaled(measured.pick), scaled(measured.crowded_pick)),
        lock_taken_ns=scaled(measured.lock_taken),
        lock_freed_ns=scaled(measured.lock_freed),
        message=CallTimes(scaled(measured.round_trip, 0.5), scaled(measured.crowded_round_trip, 0.5)),
        connect_ns=scaled(measured.connect, less_ns=measured.round_trip.median_ns),
        turnaround_ns=scaled(measured.turnaround),
        stop_ns=scaled(measured.stop),
        late_picks=tuple(count / (CROWD - 1) for count in measured.late_picks),
    )


def machine_s(scenario: Scenario, measured: Calibration, time_scale: float) -> float:
    """Return by how many seconds of the scenario any time may be off, because of the order in which things are done.

    A timer is late by up to its grain. And of the requests that reach one frontend at the same instant, each may have
    to wait for the pick and the touch of all the others: in which order the event loop takes their steps, the twin does
    not know.
    """
    others = _most_at_once(make_plan(scenario, scenario.seed)) - 1
    step_ns = measured.crowded_pick.median_ns + measured.crowded_touch.median_ns
    return (measured.wake_up.percentile_ns(99) + others * step_ns) / time_scale / NS_PER_S


def _most_at_once(plan: Plan) -> int:
    """Return how many requests reach one frontend at one instant at the most; at least 1."""
    arrivals = zip(plan.open["frontend"].tolist(), plan.open["arrival_ns"].tolist(), strict=True)
    return max(Counter(arrivals).values(), default=1)


def _slowly_installed(model: ModelSpec, least_ns: int) -> ModelSpec:
    install_ns = max(model.backend.install_time_ns, least_ns)
    return model.model_copy(update={"backend": model.backend.model_copy(update={"install_time_ns": install_ns})})
