"""What costs a row its place: probes that miss, counted one way or the other."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sim.measure.recording.records import MISSING
from sim.routing.control_plane.monitoring import BusyIsAlive, EveryMiss, Monitoring
from sim.routing.fleet import NodeFacts, RowState
from sim.routing.outcomes import ProbeOutcome
from sim.routing.replica import ReplicaKey
from sim.routing.settings import MonitoringName
from sim.routing.strategies import MONITORING
from sim.scenario.spec.engines import HealthName
from sim.simulated.nodes.worker import FIRST_PORT, InstallSettings
from tests.drivers import SECOND
from tests.routing.control_plane.monitors import A0, A1, B0, EACH_WAY, HEALTHY, NewMonitoring, monitor_in, passes, tick
from tests.routing.fleet_world import MODEL, FleetWorld, Told, nodes, one_worker


def answer_as(world: FleetWorld, key: ReplicaKey, letter: str) -> Callable[[], None]:
    """Have the next probe be answered (O), come too late (T) or be refused (F); return what undoes it."""
    process = world.process(key)
    if letter == "T":
        world.hang(key)
        return lambda: world.resume(key)
    if letter == "F":
        del world.processes[process.address]
        return lambda: world.processes.update({process.address: process})
    return lambda: None


# Probes in turn (O answered, T too late, F refused): whether the row is still there, as every miss counts and as busy
# is alive.
PROBES: dict[str, tuple[bool, bool]] = {
    "O": (True, True),
    "FF": (True, True),
    "FFF": (False, False),
    "FFOFF": (True, True),
    "FFOFFF": (False, False),
    "TT": (True, True),
    "TTT": (False, True),
    "TTTTTTTT": (False, True),
    "TTOTT": (True, True),
    "FTF": (False, True),
    "FTFTF": (False, False),
}


@EACH_WAY
def test_every_probe_is_told_with_its_outcome_and_without_a_request(monitoring: NewMonitoring) -> None:
    world = FleetWorld(nodes("a"), heartbeat_ns=10 * SECOND)
    world.place(A0)
    monitor = monitor_in(world, monitoring)

    async def story() -> None:
        for letter in "OTF":
            undo = answer_as(world, A0, letter)
            await monitor.run_pass()
            undo()

    world.run(story())

    told = world.journal.records.probes
    assert told["outcome"].tolist() == [ProbeOutcome.OK, ProbeOutcome.TIMEOUT, ProbeOutcome.FAILED]
    assert told["request"].tolist() == [MISSING] * 3


@pytest.mark.parametrize("word", MONITORING)
@pytest.mark.parametrize("probes", PROBES)
def test_three_misses_in_a_row_delete_a_row_and_leave_its_node_healthy(probes: str, word: MonitoringName) -> None:
    world = FleetWorld(nodes("a"), heartbeat_ns=10 * SECOND)
    world.place(A0)
    monitor = monitor_in(world, MONITORING[word])

    async def story() -> None:
        for letter in probes:
            undo = answer_as(world, A0, letter)
            await monitor.run_pass()
            undo()

    world.run(story())

    is_there = PROBES[probes][list(MONITORING).index(word)]
    assert world.keys() == (["a#0"] if is_there else [])
    assert world.told() == ([] if is_there else [Told("row_removed", "a#0", "", "monitor_misses")])
    assert world.node("a").status is HEALTHY


@EACH_WAY
def test_the_third_miss_deletes_no_sooner_and_no_later(monitoring: NewMonitoring) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A0)
    world.kill(A0)
    monitor = monitor_in(world, monitoring)

    async def story() -> list[list[str]]:
        left = []
        for _ in range(3):
            await monitor.run_pass()
            left.append(world.keys())
        return left

    assert world.run(story()) == [["a#0"], ["a#0"], []]


@EACH_WAY
def test_misses_of_one_replica_are_not_counted_against_another(monitoring: NewMonitoring) -> None:
    world = FleetWorld(nodes("a", "b"))
    for key in (A0, A1, B0, other := ReplicaKey("a", "other", 0)):
        world.place(key)
    world.kill(A1)

    world.run(passes(monitor_in(world, monitoring), 4))

    assert [row.key for row in world.rows()] == [A0, B0, other]


@pytest.mark.parametrize("state", RowState)
def test_a_row_in_any_state_is_probed(state: RowState) -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A0, "a:50099", state)

    world.run(passes(monitor_in(world), 3))

    assert world.keys() == []


def test_a_row_without_an_address_is_never_probed() -> None:
    world = FleetWorld([NodeFacts("a", address=f"a:{FIRST_PORT}")])
    world.write_row(A0, "", RowState.STAGING)

    world.run(passes(monitor_in(world), 5))

    assert world.keys() == ["a#0"]


def test_the_process_on_the_nodes_own_port_is_never_probed_however_dead() -> None:
    world = FleetWorld([NodeFacts("a", address=f"a:{FIRST_PORT}", slots=2)])
    for key in (A0, A1):
        world.place(key)
        world.kill(key)

    world.run(passes(monitor_in(world), 5))

    assert world.keys() == ["a#0"]


def settings(*, health: HealthName = "serialized", load_time_ns: int = 0) -> InstallSettings:
    return InstallSettings(one_worker(health=health, load_time_ns=load_time_ns), 0, 0, 0)


@pytest.mark.parametrize(
    ("monitoring", "health", "reaped_at_s"),
    [(EveryMiss, "serialized", [50]), (EveryMiss, "independent", []), (BusyIsAlive, "serialized", [])],
    ids=["every miss counts", "health calls do not wait their turn", "busy is alive"],
)
def test_a_replica_that_is_busy_over_three_probes_is_reaped_if_it_serialises_and_every_miss_counts(
    monitoring: NewMonitoring, health: HealthName, reaped_at_s: list[float]
) -> None:
    world = FleetWorld(nodes("a"), {MODEL: settings(health=health)}, heartbeat_ns=10 * SECOND)
    world.place(A0, in_flight=1)
    world.keep_busy(A0, 100 * SECOND)
    tick(world, monitor_in(world, monitoring))

    world.run(world.runtime.sleep(100 * SECOND))

    # Ticks at 15, 30 and 45 s, and 5 s for the last probe; the process lives all the while.
    assert world.times_s("row_removed") == reaped_at_s
    assert world.process(A0).model == MODEL


@pytest.mark.parametrize(
    ("monitoring", "load_time_s", "reaped_at_s"),
    [(EveryMiss, 51, [50]), (EveryMiss, 49, []), (BusyIsAlive, 51, [])],
    ids=["every miss counts", "the third probe is answered", "busy is alive"],
)
def test_a_load_that_outlasts_three_probes_loses_its_row_if_every_miss_counts(
    monitoring: NewMonitoring, load_time_s: int, reaped_at_s: list[float]
) -> None:
    slow = settings(load_time_ns=load_time_s * SECOND)
    world = FleetWorld(nodes("a"), {MODEL: slow}, heartbeat_ns=10 * SECOND)
    process = world.workers.start(A0)
    world.write_row(A0, process.address, RowState.LOADING)
    tick(world, monitor_in(world, monitoring))

    world.run(process.load_model(MODEL))

    assert world.times_s("row_removed") == reaped_at_s
    assert process.model == MODEL


def recreate(world: FleetWorld, key: ReplicaKey) -> None:
    """Have another process and another row take the place of those of the key."""
    world.table.delete(key)
    world.place(key)
    world.kill(key)


@pytest.mark.parametrize(("monitoring", "left"), [(EveryMiss, []), (BusyIsAlive, ["a#0"])], ids=["by key", "by row"])
def test_a_new_row_inherits_the_misses_of_the_one_before_it_if_they_are_counted_by_key(
    monitoring: NewMonitoring, left: list[str]
) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A0)
    world.kill(A0)
    monitor = monitor_in(world, monitoring)

    async def story() -> None:
        await passes(monitor, 2)
        recreate(world, A0)
        await passes(monitor, 1)

    world.run(story())

    assert world.keys() == left


@EACH_WAY
def test_a_row_that_follows_one_the_monitor_deleted_begins_without_misses(monitoring: NewMonitoring) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A0)
    world.kill(A0)
    monitor = monitor_in(world, monitoring)

    async def story() -> None:
        await passes(monitor, 3)
        recreate(world, A0)
        await passes(monitor, 2)

    world.run(story())

    assert world.keys() == ["a#0"]
    assert len(world.told("row_removed")) == 1


@EACH_WAY
def test_a_row_that_was_written_anew_during_the_last_probe_stays(monitoring: NewMonitoring) -> None:
    world = FleetWorld(nodes("a"), latency_ns=1)
    world.place(A0)
    world.kill(A0)
    monitor = monitor_in(world, monitoring)

    async def story() -> None:
        await passes(monitor, 2)
        world.runtime.spawn(passes(monitor, 1), "third pass")
        world.write_row(A0, "a:50099")
        await world.runtime.sleep(SECOND)

    world.run(story())

    assert [row.address for row in world.rows()] == ["a:50099"]
    assert world.told("row_removed") == []


def test_only_the_counts_of_rows_that_are_there_are_kept_where_they_go_by_row() -> None:
    world = FleetWorld(nodes("a"))
    there, gone = world.write_row(A0), world.write_row(A1)
    misses_now: dict[type[Monitoring], list[int]] = {}

    for way in (EveryMiss, BusyIsAlive):
        monitoring = way()
        for row in (there, there, gone):
            monitoring.misses(row, ProbeOutcome.FAILED)
        monitoring.begin_pass(replace(world.database.read(), rows=[there]), now_ns=0)
        misses_now[way] = [monitoring.misses(row, ProbeOutcome.FAILED) for row in (there, gone)]

    assert misses_now == {EveryMiss: [3, 2], BusyIsAlive: [3, 1]}


def test_misses_count_per_frontend() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A0)
    world.kill(A0)
    two = [monitor_in(world), monitor_in(world)]

    async def story() -> None:
        for monitor in two:
            await passes(monitor, 2)

    world.run(story())

    assert world.keys() == ["a#0"]
