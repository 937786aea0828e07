"""The health monitor on a simulated fleet: what costs a node its status and a row its place, and when passes come."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from sim.routing.control_plane.health_monitor import (
    BUSY_IS_ALIVE,
    EVERY_MISS,
    LOCK,
    HealthMonitor,
    Monitoring,
)
from sim.routing.control_plane.ticker import once_per_tick, tick_for_ever
from sim.routing.errors import Unavailable
from sim.routing.fleet import NodeFacts
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.settings import MonitoringName, PassRuleName
from sim.routing.states import NodeStatus, RowState
from sim.routing.strategies import MONITORING, PASSES
from sim.scenario.spec.control_plane import HealthMonitorSpec
from sim.simulated.faults.interposed import interposed_registry
from sim.simulated.nodes.backend import ProcessSettings
from sim.simulated.nodes.worker import FIRST_PORT, InstallSettings
from tests.drivers import SECOND
from tests.routing.fleet_world import MODEL, FleetWorld, Told, as_drawn, nodes

A0, A1, B0 = ReplicaKey("a", MODEL, 0), ReplicaKey("a", MODEL, 1), ReplicaKey("b", MODEL, 0)

HEALTHY, UNHEALTHY, OFFLINE = NodeStatus.HEALTHY, NodeStatus.UNHEALTHY, NodeStatus.OFFLINE

EACH_WAY = pytest.mark.parametrize("monitoring", MONITORING.values(), ids=MONITORING)


DEFAULTS = HealthMonitorSpec().settings()


def monitor_in(
    world: FleetWorld,
    monitoring: Monitoring = EVERY_MISS,
    stale_status: NodeStatus = OFFLINE,
    ports: FrontendPorts | None = None,
) -> HealthMonitor:
    seen = ports or world.ports()
    return HealthMonitor(
        seen.runtime, seen.registry, seen.dialer, seen.journal, DEFAULTS, monitoring, stale_status=stale_status
    )


async def passes(monitor: HealthMonitor, count: int) -> None:
    for _ in range(count):
        await monitor.run_pass()


def tick(world: FleetWorld, monitor: HealthMonitor) -> None:
    """Have the monitor make its passes every 15 s, the first after 15 s."""
    world.runtime.spawn_background(
        tick_for_ever(world.runtime, DEFAULTS.tick_ns, DEFAULTS.tick_ns, monitor.run_pass), "ticker"
    )


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
def test_the_third_miss_deletes_no_sooner_and_no_later(monitoring: Monitoring) -> None:
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
def test_misses_of_one_replica_are_not_counted_against_another(monitoring: Monitoring) -> None:
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


@dataclass(frozen=True)
class Silence:
    """A node with a row, and how long it has been silent when a pass comes."""

    before: NodeStatus
    silent_ns: int
    stale_status: NodeStatus
    after: NodeStatus
    told: tuple[Told, ...] = ()
    keeps_row: bool = True


def node_changed(status: NodeStatus, cause: str) -> Told:
    return Told("node_changed", "a", status, cause)


ROW_GOES = Told("row_removed", "a#0", "", "node_offline")
BACK = (node_changed(HEALTHY, "heartbeat"),)
LATE = 60 * SECOND + 1

SILENCES: dict[str, Silence] = {
    "a node silent for exactly the limit stays healthy": Silence(HEALTHY, 60 * SECOND, OFFLINE, HEALTHY),
    "a node silent for longer goes offline with its rows": Silence(
        HEALTHY, LATE, OFFLINE, OFFLINE, (node_changed(OFFLINE, "stale_heartbeat"), ROW_GOES), keeps_row=False
    ),
    "without auto-offline it is unhealthy and keeps its rows": Silence(
        HEALTHY, LATE, UNHEALTHY, UNHEALTHY, (node_changed(UNHEALTHY, "stale_heartbeat"),)
    ),
    "a silent node that waits for approval goes offline too": Silence(
        NodeStatus.PENDING, LATE, OFFLINE, OFFLINE, (node_changed(OFFLINE, "stale_heartbeat"), ROW_GOES), False
    ),
    "a silent node that is unhealthy stays so": Silence(UNHEALTHY, LATE, OFFLINE, UNHEALTHY),
    "a silent node that is offline stays so": Silence(OFFLINE, LATE, OFFLINE, OFFLINE),
    "an unhealthy node that is heard is healthy again": Silence(UNHEALTHY, 60 * SECOND, OFFLINE, HEALTHY, BACK),
    "an offline node that is heard is healthy again": Silence(OFFLINE, 0, OFFLINE, HEALTHY, BACK),
    "a node that waits for approval is not made healthy": Silence(
        NodeStatus.PENDING, 0, OFFLINE, NodeStatus.PENDING
    ),
    "a node that registers is not made healthy": Silence(
        NodeStatus.REGISTERING, 0, OFFLINE, NodeStatus.REGISTERING
    ),
    "a silent node that drains is left alone": Silence(
        NodeStatus.DRAINING, LATE, OFFLINE, NodeStatus.DRAINING
    ),
}  # fmt: skip


@EACH_WAY
@pytest.mark.parametrize("silence", SILENCES.values(), ids=SILENCES)
def test_a_nodes_status_follows_its_heartbeats(silence: Silence, monitoring: Monitoring) -> None:
    world = FleetWorld(nodes("a"))
    world.set_status("a", silence.before)
    world.place(A0)
    monitor = monitor_in(world, monitoring, silence.stale_status)

    async def story() -> None:
        await world.runtime.sleep(silence.silent_ns)
        await monitor.run_pass()

    world.run(story())

    assert world.node("a").status is silence.after
    assert world.told() == list(silence.told)
    assert world.keys() == (["a#0"] if silence.keeps_row else [])


def test_a_node_that_falls_silent_is_given_up_once_and_taken_back_once() -> None:
    world = FleetWorld(nodes("a"), heartbeat_ns=10 * SECOND)
    tick(world, monitor_in(world))

    async def story() -> None:
        world.agents["a"].gags += 1
        await world.runtime.sleep(121 * SECOND)
        world.agents["a"].gags -= 1
        await world.runtime.sleep(60 * SECOND)

    world.run(story())

    # Silent from 0 on: 60 s old at the tick of 60 s, older at that of 75 s; heard at 130 s, seen at 135 s.
    assert [told.detail for told in world.told("node_changed")] == ["offline", "healthy"]
    assert world.times_s("node_changed") == [75, 135]


def test_rows_of_a_draining_node_are_not_probed() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.set_status("a", NodeStatus.DRAINING)
    for key in (A0, B0):
        world.place(key)
        world.kill(key)

    world.run(passes(monitor_in(world), 3))

    assert world.keys() == ["a#0"]


def test_rows_of_a_silent_node_are_not_probed() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A0)
    world.kill(A0)
    monitor = monitor_in(world, stale_status=UNHEALTHY)

    async def story() -> None:
        await world.runtime.sleep(LATE)
        await passes(monitor, 5)

    world.run(story())

    assert world.keys() == ["a#0"]


def test_a_frontend_whose_clock_is_ahead_takes_a_talking_node_offline() -> None:
    world = FleetWorld(nodes("a"), heartbeat_ns=10 * SECOND)
    in_time = monitor_in(world, ports=world.ports())
    ahead = monitor_in(world, ports=world.ports(clock_ahead_ns=LATE))

    async def story() -> list[NodeStatus]:
        seen = []
        for monitor in (in_time, ahead):
            await monitor.run_pass()
            seen.append(world.node("a").status)
        return seen

    assert world.run(story()) == [HEALTHY, OFFLINE]


def settings(*, health_waits: bool, load_time_ns: int = 0) -> InstallSettings:
    return InstallSettings(ProcessSettings(1, health_waits, load_time_ns, as_drawn, False), 0, 0, 0)


@pytest.mark.parametrize(
    ("monitoring", "health_waits", "reaped_at_s"),
    [(EVERY_MISS, True, [50]), (EVERY_MISS, False, []), (BUSY_IS_ALIVE, True, [])],
    ids=["every miss counts", "health calls do not wait their turn", "busy is alive"],
)
def test_a_replica_that_is_busy_over_three_probes_is_reaped_if_it_serialises_and_every_miss_counts(
    monitoring: Monitoring, health_waits: bool, reaped_at_s: list[float]
) -> None:
    world = FleetWorld(nodes("a"), {MODEL: settings(health_waits=health_waits)}, heartbeat_ns=10 * SECOND)
    world.place(A0, in_flight=1)
    world.keep_busy(A0, 100 * SECOND)
    tick(world, monitor_in(world, monitoring))

    world.run(world.runtime.sleep(100 * SECOND))

    # Ticks at 15, 30 and 45 s, and 5 s for the last probe; the process lives all the while.
    assert world.times_s("row_removed") == reaped_at_s
    assert world.process(A0).model == MODEL


@pytest.mark.parametrize(
    ("monitoring", "load_time_s", "reaped_at_s"),
    [(EVERY_MISS, 51, [50]), (EVERY_MISS, 49, []), (BUSY_IS_ALIVE, 51, [])],
    ids=["every miss counts", "the third probe is answered", "busy is alive"],
)
def test_a_load_that_outlasts_three_probes_loses_its_row_if_every_miss_counts(
    monitoring: Monitoring, load_time_s: int, reaped_at_s: list[float]
) -> None:
    slow = settings(health_waits=True, load_time_ns=load_time_s * SECOND)
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


@pytest.mark.parametrize(("monitoring", "left"), [(EVERY_MISS, []), (BUSY_IS_ALIVE, ["a#0"])], ids=["by key", "by row"])
def test_a_new_row_inherits_the_misses_of_the_one_before_it_if_they_are_counted_by_key(
    monitoring: Monitoring, left: list[str]
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
def test_a_row_that_follows_one_the_monitor_deleted_begins_without_misses(monitoring: Monitoring) -> None:
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
def test_a_row_that_was_written_anew_during_the_last_probe_stays(monitoring: Monitoring) -> None:
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
    world.table.delete(A1)

    assert BUSY_IS_ALIVE.kept({there.id: 2, gone.id: 1}, world.database.read()) == {there.id: 2}
    assert EVERY_MISS.kept({A0: 2, A1: 1}, world.database.read()) == {A0: 2, A1: 1}


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


def test_a_pass_is_skipped_while_another_frontends_is_under_way() -> None:
    world = FleetWorld(nodes("a"))
    monitor, elsewhere = monitor_in(world), world.ports().registry

    async def story() -> list[NodeStatus]:
        await world.runtime.sleep(LATE)
        async with elsewhere.try_lock(LOCK):
            await monitor.run_pass()
            skipped = world.node("a").status
        await monitor.run_pass()
        return [skipped, world.node("a").status]

    assert world.run(story()) == [HEALTHY, OFFLINE]


@pytest.mark.parametrize("method", ["try_lock", "fleet", "set_status", "remove_row"])
def test_a_registry_that_fails_ends_the_pass_quietly_and_the_next_one_tries_again(method: str) -> None:
    world = FleetWorld(nodes("a", "b"), transaction_ns=1)
    world.place(A0)
    world.kill(A0)
    failures = [Unavailable("down")]
    ports = world.ports()

    async def around(name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if name == method and failures:
            raise failures.pop()
        return await call()

    registry = interposed_registry(ports.runtime, ports.registry, around)
    monitor = HealthMonitor(ports.runtime, registry, ports.dialer, ports.journal, DEFAULTS, EVERY_MISS)

    async def story() -> None:
        world.set_status("b", UNHEALTHY)
        await passes(monitor, 4)

    world.run(story())

    # One pass of four was cut short: the third miss came all the same, and b was taken back.
    assert not failures
    assert world.keys() == []
    assert world.node("b").status is HEALTHY
    assert world.database.lock(LOCK).is_free()


@pytest.mark.parametrize("hung", [0, 1, 3, 4])
def test_probes_follow_one_another_so_each_process_that_hangs_makes_the_pass_longer(hung: int) -> None:
    world = FleetWorld(nodes("a"))
    for index in range(4):
        world.place(ReplicaKey("a", MODEL, index))
    for index in range(hung):
        world.hang(ReplicaKey("a", MODEL, index))

    async def story() -> int:
        await monitor_in(world).run_pass()
        return world.runtime.now_ns()

    assert world.run(story()) == hung * 5 * SECOND


@pytest.mark.parametrize(
    ("monitoring", "status"), [(EVERY_MISS, OFFLINE), (BUSY_IS_ALIVE, HEALTHY)], ids=["at its turn", "when read"]
)
def test_a_long_pass_takes_a_talking_node_for_silent_if_heartbeats_are_judged_at_its_turn(
    monitoring: Monitoring, status: NodeStatus
) -> None:
    world = FleetWorld(nodes("a", "b"), heartbeat_ns=10 * SECOND)
    for index in range(13):
        key = ReplicaKey("a", MODEL, index)
        world.place(key)
        world.hang(key)

    world.run(monitor_in(world, monitoring).run_pass())

    # The turn of b comes 65 s after its heartbeat was read.
    assert world.node("b").status is status


# How long each pass lasts, in seconds: when the passes of the first 70 s begin, with ticks at 5, 20, 35, 50 and 65 s.
PASS_LENGTHS: dict[int, list[int]] = {
    0: [5, 20, 35, 50, 65],
    14: [5, 20, 35, 50, 65],
    15: [5, 20, 35, 50, 65],
    16: [5, 35, 65],
    29: [5, 35, 65],
    31: [5, 50],
}


@pytest.mark.parametrize("length_s", PASS_LENGTHS)
def test_ticks_that_fall_into_a_pass_are_dropped(length_s: int) -> None:
    world = FleetWorld([])
    began_ns: list[int] = []

    async def run_pass() -> None:
        began_ns.append(world.runtime.now_ns())
        await world.runtime.sleep(length_s * SECOND)

    world.runtime.spawn_background(tick_for_ever(world.runtime, 15 * SECOND, 5 * SECOND, run_pass), "ticker")
    world.run(world.runtime.sleep(70 * SECOND))

    assert [ns // SECOND for ns in began_ns] == PASS_LENGTHS[length_s]


def passes_of_three_frontends(rule: PassRuleName, world: FleetWorld) -> list[float]:
    """Return when the monitors of three frontends, whose ticks are 5 s apart, begin passes in the first 45 s."""
    began_s: list[float] = []

    def start(first_ns: int) -> None:
        ports = world.ports()
        monitor = monitor_in(world, ports=ports)

        async def run_pass() -> None:
            began_s.append(world.runtime.now_ns() / SECOND)
            await monitor.run_pass()

        ruled = PASSES[rule](ports.registry, "health", 15 * SECOND, run_pass)
        world.runtime.spawn_background(tick_for_ever(world.runtime, 15 * SECOND, first_ns, ruled), "ticker")

    for frontend in range(3):
        start(frontend * 5 * SECOND)
    world.run(world.runtime.sleep(45 * SECOND - 1))
    return began_s


@pytest.mark.parametrize(
    ("rule", "began_s"),
    [("every_frontend", [0, 5, 10, 15, 20, 25, 30, 35, 40]), ("once_per_tick", [0, 15, 30])],
    ids=["every frontend", "once per tick"],
)
def test_three_frontends_make_three_passes_a_tick_unless_one_claims_it(
    rule: PassRuleName, began_s: list[float]
) -> None:
    world = FleetWorld(nodes("a"))

    assert passes_of_three_frontends(rule, world) == began_s


@pytest.mark.parametrize("rule", PASSES)
def test_three_frontends_reap_no_sooner_than_one_for_the_misses_must_be_one_frontends_own(rule: PassRuleName) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A0)
    world.kill(A0)

    passes_of_three_frontends(rule, world)

    assert world.times_s("row_removed") == [30]


def test_nobody_makes_a_pass_that_the_registry_cannot_give_away() -> None:
    world = FleetWorld([])
    ports = world.ports()
    made: list[str] = []
    failures = [Unavailable("down")]

    async def around(_name: str, call: Callable[[], Awaitable[Any]]) -> Any:
        if failures:
            raise failures.pop()
        return await call()

    async def run_pass() -> None:
        made.append("pass")

    registry = interposed_registry(ports.runtime, ports.registry, around)
    claimed = once_per_tick(registry, "health", 15 * SECOND, run_pass)

    async def story() -> list[int]:
        counts = []
        for _ in range(2):
            await claimed()
            counts.append(len(made))
        return counts

    assert world.run(story()) == [0, 1]
