"""Rows held against their processes on a simulated fleet: what confirms a row, what costs its place or its count."""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.control_plane.row_inspector import Liveness, liveness, stale_rows, suspected_leaks
from sim.routing.control_plane.state_pass import LOCK, StatePass, Streaks
from sim.routing.errors import (
    Busy,
    CallError,
    DeadlineExceeded,
    ModelNotLoaded,
    NoReplica,
    Unavailable,
    WrongModel,
)
from sim.routing.fleet import Fleet, NodeFacts, ReplicaRow
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ReaperName
from sim.routing.states import RowState
from sim.routing.strategies import REAPERS
from sim.scenario.spec.control_plane import ReconcilerSpec
from sim.simulated.faults.interposed import interposed_registry, interposed_worker
from tests.drivers import SECOND
from tests.routing.fleet_world import SERIALISING, FleetWorld, Told, nodes

MINUTE = 60 * SECOND
STALE, LEAKED = 2 * MINUTE, 30 * MINUTE

A, B = ReplicaKey("a", "m", 0), ReplicaKey("b", "m", 0)

ALIVE, BUSY, UNREACHABLE = Liveness.ALIVE, Liveness.BUSY, Liveness.UNREACHABLE

EACH_REAPER = pytest.mark.parametrize("reaper", REAPERS)

# id: (how the health call ended, how that is read); the first four are LocalAI's own.
READINGS: dict[str, tuple[CallError | None, Liveness]] = {
    "well in time": (None, ALIVE),
    "too late": (DeadlineExceeded("no answer within 1 s"), BUSY),
    "connection refused": (Unavailable("nobody answers"), UNREACHABLE),
    "answered that it is not well": (Unavailable("answers b'no' to a health call, not OK"), UNREACHABLE),
    "turned away": (Busy("too many calls"), BUSY),
    "no model": (ModelNotLoaded("holds no model"), BUSY),
    "another model": (WrongModel("holds x"), BUSY),
    "no place": (NoReplica("no node"), BUSY),
    "anything else": (CallError("internal"), BUSY),
}


@pytest.mark.parametrize(("error", "expected"), READINGS.values(), ids=READINGS)
def test_a_health_call_is_read_as(error: CallError | None, expected: Liveness) -> None:
    assert liveness(error) is expected


def row(state: RowState = RowState.LOADED, in_flight: int = 0, used: int = 0, updated: int = 0) -> ReplicaRow:
    return ReplicaRow("1", A, "a:1", state, in_flight, used, updated)


NOT_LOADED = [state for state in RowState if state is not RowState.LOADED]

# id: (row, whether it is stale if it must have been updated by 100)
AGES: dict[str, tuple[ReplicaRow, bool]] = {
    "updated before": (row(updated=99), True),
    "updated then": (row(updated=100), False),
    "updated since": (row(updated=101), False),
    "used long before that": (row(used=1, updated=101), False),
    "busy": (row(in_flight=9, updated=99), True),
    **{f"in state {state}": (row(state, updated=99), False) for state in NOT_LOADED},
}


@pytest.mark.parametrize(("row", "expected"), AGES.values(), ids=AGES)
def test_a_row_is_stale(row: ReplicaRow, expected: bool) -> None:
    assert stale_rows(Fleet([], [row], {}, {}), before_ns=100) == [row] * expected


# id: (row, whether its count is suspect if it must have been used by 100)
COUNTS: dict[str, tuple[ReplicaRow, bool]] = {
    "used before": (row(in_flight=1, used=99), True),
    "used then": (row(in_flight=1, used=100), False),
    "used since": (row(in_flight=1, used=101), False),
    "confirmed since": (row(in_flight=1, used=99, updated=101), True),
    "idle": (row(used=99), False),
    **{f"in state {state}": (row(state, in_flight=1, used=99), False) for state in NOT_LOADED},
}


@pytest.mark.parametrize(("row", "expected"), COUNTS.values(), ids=COUNTS)
def test_a_count_is_suspect(row: ReplicaRow, expected: bool) -> None:
    assert suspected_leaks(Fleet([], [row], {}, {}), before_ns=100) == [row] * expected


# For each pass, what is found of each row: again, not, or that the row is no candidate.
histories = st.lists(st.lists(st.sampled_from(["again", "not", "absent"]), min_size=3, max_size=3), max_size=6)


@given(histories)
def test_a_streak_is_as_long_as_the_passes_in_a_row_that_found_it(history: list[list[str]]) -> None:
    rows, streaks, lengths = [replace(row(), id=f"{number}") for number in range(3)], Streaks(), [0] * 3
    for found in history:
        streaks.keep_only([row for row, finding in zip(rows, found, strict=True) if finding != "absent"])
        for number, finding in enumerate(found):
            lengths[number] = lengths[number] + 1 if finding == "again" else 0
            if finding == "again":
                assert streaks.extend(rows[number]) == lengths[number]
            if finding == "not":
                streaks.end(rows[number])


def state_pass(world: FleetWorld, reaper: ReaperName = "third_miss", ports: FrontendPorts | None = None) -> StatePass:
    """Return the pass of one more frontend."""
    seen = ports or world.ports()
    settings = ReconcilerSpec().settings()
    return StatePass(seen.runtime, seen.registry, seen.dialer, seen.worker, seen.journal, settings, REAPERS[reaper])


def silence(world: FleetWorld, node: str) -> None:
    """Have the node's worker answer nobody; its processes go on."""
    world.workers.nodes[node].is_up = False


def run_passes(world: FleetWorld, *passes: StatePass, every_ns: int) -> None:
    """Make passes one after the other, the first at `every_ns`."""

    async def story() -> None:
        for each in passes:
            await world.runtime.sleep(every_ns)
            await each.run_pass()

    world.run(story())


REMOVED_BY_TABLE = Told("row_removed", "a#0", "", "not_in_process_table")
REMOVED_BY_PROBE = Told("row_removed", "a#0", "", "unreachable")


# The process table.


def test_a_row_whose_process_is_listed_is_confirmed_though_the_process_is_busy() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.hang(A)

    run_passes(world, state_pass(world), every_ns=STALE + 1)

    assert [row.updated_ns for row in world.rows()] == [STALE + 1]


def test_a_row_that_is_not_stale_yet_is_left_alone() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    reconciler = state_pass(world)

    run_passes(world, reconciler, every_ns=STALE)

    assert [row.updated_ns for row in world.rows()] == [0]


def test_a_rows_age_is_told_by_the_wall_clock_of_the_frontend() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)

    run_passes(world, state_pass(world, ports=world.ports(clock_ahead_ns=STALE)), every_ns=1)

    assert [row.updated_ns for row in world.rows()] == [STALE + 1]


@pytest.mark.parametrize(("passes", "expected"), [(1, []), (2, [REMOVED_BY_TABLE])])
def test_a_row_whose_process_has_gone_is_deleted_when_a_second_table_in_a_row_does_not_list_it(
    passes: int, expected: list[Told]
) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.kill(A)

    run_passes(world, *[state_pass(world)] * passes, every_ns=STALE + 1)

    assert world.told("row_removed") == expected


# id: (the row's key and address; the process a#0 runs at a:50051)
NOT_LISTED: dict[str, tuple[ReplicaKey, str]] = {
    "another address": (A, "a:50052"),
    "another replica's address": (ReplicaKey("a", "m", 1), "a:50051"),
    "another model's address": (ReplicaKey("a", "x", 0), "a:50051"),
}


@pytest.mark.parametrize(("key", "address"), NOT_LISTED.values(), ids=NOT_LISTED)
def test_only_key_and_address_together_confirm_a_row(key: ReplicaKey, address: str) -> None:
    world = FleetWorld(nodes("a"))
    assert world.start(A).address == "a:50051"
    world.hang(A)  # or it would answer the probe that comes next
    world.write_row(key, address)

    run_passes(world, *[state_pass(world)] * 2, every_ns=STALE + 1)

    assert world.told("row_removed") == [Told("row_removed", str(key), "", "not_in_process_table")]


def test_at_localais_tick_a_row_that_no_table_lists_stays_as_long_as_any_process_answers_at_its_address() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(ReplicaKey("a", "x", 0), world.start(A).address)

    run_passes(world, *[state_pass(world)] * 20, every_ns=30 * SECOND)

    # The answer makes the row fresh for the next four passes, which ends the streak of tables that do not list it.
    assert [row.updated_ns for row in world.rows()] == [10 * MINUTE]


def test_a_table_that_lists_the_row_again_ends_the_streak() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.hang(A)
    processes = world.workers.nodes["a"].processes
    reconciler = state_pass(world)

    async def story() -> None:
        for is_listed in (False, True, False):
            hidden = {} if is_listed else {A: processes.pop(A)}
            await world.runtime.sleep(STALE + 1)
            await reconciler.run_pass()
            processes.update(hidden)

    world.run(story())

    assert world.keys() == ["a#0"]


def test_a_worker_that_does_not_answer_neither_confirms_a_row_nor_counts_against_it() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.hang(A)
    silence(world, "a")

    run_passes(world, *[state_pass(world)] * 9, every_ns=STALE + 1)

    assert [row.updated_ns for row in world.rows()] == [0]


def test_a_worker_that_does_not_answer_leaves_the_streak_of_its_rows_as_it_is() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    world.kill(A)
    reconciler = state_pass(world)

    async def story() -> list[int]:
        left = []
        for is_up in (True, False, True):
            world.workers.nodes["a"].is_up = is_up
            await world.runtime.sleep(STALE + 1)
            await reconciler.run_pass()
            left.append(len(world.rows()))
        return left

    assert world.run(story()) == [1, 1, 0]
    assert world.told("row_removed") == [REMOVED_BY_TABLE]


def test_each_worker_with_stale_rows_is_asked_once_by_node() -> None:
    world = FleetWorld(nodes("c", "b", "a", "d", slots=2))
    for key in (ReplicaKey("c", "m", 0), B, ReplicaKey("c", "m", 1)):
        world.place(key)
    world.place(A, updated_ns=STALE)
    asked = []

    async def around(node: str, name: str, call: MadeCall) -> Any:
        asked.append((node, name))
        return await call()

    ports = world.ports()
    reconciler = state_pass(world, ports=replace(ports, worker=interposed_worker(ports.worker, around)))
    run_passes(world, reconciler, every_ns=STALE + 1)

    assert asked == [("b", "processes"), ("c", "processes")]


# The port probe.


def answer_as(world: FleetWorld, letter: str) -> Callable[[], None]:
    """Have a's process answer the next probe (O), too late (T) or not at all (F); return what undoes it."""
    process = world.process(A)
    if letter == "T":
        world.hang(A)
        return lambda: world.resume(A)
    if letter == "F":
        del world.processes[process.address]
        return lambda: world.processes.update({process.address: process})
    return lambda: None


# Probes in turn, a stale row and a silent worker before each: the pass that deletes the row as the first miss does, and
# as the third refusal in a row does; None if it stays.
PROBES: dict[str, tuple[int | None, int | None]] = {
    "OOOO": (None, None),
    "F": (1, None),
    "T": (1, None),
    "OF": (2, None),
    "FFF": (1, 3),
    "FFTFF": (1, None),
    "FFOFF": (1, None),
    "FFTFFF": (1, 6),
    "FOFFF": (1, 5),
    "TTTTTT": (1, None),
}


@pytest.mark.parametrize("probes", PROBES)
@EACH_REAPER
def test_probes_delete_a_row_in_pass(probes: str, reaper: ReaperName) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    silence(world, "a")
    reconciler = state_pass(world, reaper)

    async def story() -> int | None:
        for number, letter in enumerate(probes, start=1):
            undo = answer_as(world, letter)
            await world.runtime.sleep(STALE + 1)
            await reconciler.run_pass()
            undo()
            if not world.rows():
                return number
        return None

    assert world.run(story()) == dict(zip(REAPERS, PROBES[probes], strict=True))[reaper]


@EACH_REAPER
def test_an_answer_confirms_a_row(reaper: ReaperName) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    silence(world, "a")

    run_passes(world, state_pass(world, reaper), every_ns=STALE + 1)

    assert [row.updated_ns for row in world.rows()] == [STALE + 1]


def test_a_late_answer_confirms_nothing() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    silence(world, "a")
    world.hang(A)

    run_passes(world, state_pass(world), every_ns=STALE + 1)

    assert [row.updated_ns for row in world.rows()] == [0]


@pytest.mark.parametrize(("busy_ns", "expected"), [(SECOND - 1, ["a#0"]), (SECOND, [])])
def test_a_probe_waits_for_one_second(busy_ns: int, expected: list[str]) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    reconciler = state_pass(world, "first_miss")

    async def story() -> None:
        await world.runtime.sleep(STALE + 1)
        world.keep_busy(A, busy_ns)
        await reconciler.run_pass()

    world.run(story())

    assert world.keys() == expected


@EACH_REAPER
def test_requests_in_flight_keep_no_row_whose_process_has_gone(reaper: ReaperName) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A, in_flight=9)
    world.kill(A)
    silence(world, "a")

    run_passes(world, *[state_pass(world, reaper)] * 3, every_ns=STALE + 1)

    assert world.told("row_removed") == [REMOVED_BY_PROBE]


def test_probes_go_by_row_id_one_after_the_other() -> None:
    world = FleetWorld(nodes("a", "b"))
    for key in (B, A):
        world.place(key)
        world.hang(key)

    run_passes(world, state_pass(world, "first_miss"), every_ns=STALE + 1)

    assert [told.about for told in world.told("row_removed")] == ["b#0", "a#0"]
    assert world.times_s("row_removed") == pytest.approx([121, 122])


@pytest.mark.parametrize(("reaper", "expected"), [("first_miss", [REMOVED_BY_PROBE]), ("third_miss", [])])
def test_a_long_generation_behind_serialised_health_calls_costs_a_row_only_at_the_first_miss(
    reaper: ReaperName, expected: list[Told]
) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A, in_flight=1)
    reconciler = state_pass(world, reaper)

    async def story() -> bool:
        world.keep_busy(A, 15 * MINUTE)
        for _ in range(29):
            await world.runtime.sleep(30 * SECOND)
            await reconciler.run_pass()
        return world.process(A).is_busy

    assert world.run(story()) is True
    assert world.told("row_removed") == expected


# Streaks.


def test_a_row_that_is_not_stale_in_between_begins_anew() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, "a:1")
    silence(world, "a")
    reconciler = state_pass(world)

    async def story() -> list[int]:
        left = []
        for is_used in (False, False, True, False, False, False):
            await world.runtime.sleep(STALE + 1)
            if is_used:
                await world.ports().registry.touch(A)
            await reconciler.run_pass()
            left.append(len(world.rows()))
        return left

    assert world.run(story()) == [1, 1, 1, 1, 1, 0]


def test_a_new_row_of_the_same_replica_begins_anew() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, "a:1")
    silence(world, "a")
    reconciler = state_pass(world)

    async def story() -> list[int]:
        left = []
        for is_new in (False, False, True, False, False):
            await world.runtime.sleep(STALE + 1)
            if is_new:
                world.write_row(A, "a:1")
            await reconciler.run_pass()
            left.append(len(world.rows()))
        return left

    assert world.run(story()) == [1, 1, 1, 1, 0]


def test_frontends_do_not_count_for_one_another() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, "a:1")
    silence(world, "a")
    one, other = state_pass(world), state_pass(world)

    run_passes(world, one, other, one, other, one, every_ns=STALE + 1)

    assert world.told("row_removed") == [REMOVED_BY_PROBE]
    assert world.times_s("row_removed") == pytest.approx([5 * 120])


def test_a_row_that_goes_while_it_is_looked_at_is_not_told_of_twice() -> None:
    world = FleetWorld(nodes("a"), transaction_ns=SECOND)
    world.write_row(A, "a:1")
    reconciler = state_pass(world, "first_miss")

    async def story() -> None:
        await world.runtime.sleep(STALE + 1)
        world.runtime.spawn(reconciler.run_pass(), "pass")
        await world.runtime.sleep(2 * SECOND + 1)  # the lock is taken and the fleet read
        world.table.delete(A)

    world.run(story())

    assert world.told() == []


# Leaked counts.


def left_behind(in_flight: int = 2, health_waits: bool = True) -> FleetWorld:
    """Return a world with one replica, used at time 0, that counts requests."""
    process = replace(SERIALISING.process, health_waits_for_a_worker=health_waits)
    world = FleetWorld([NodeFacts("a")], {"m": replace(SERIALISING, process=process)})
    world.place(A, in_flight=in_flight)
    return world


def counts_after(world: FleetWorld, reconciler: StatePass, passes: str) -> list[int]:
    """Return the row's count after each pass, made every minute after half an hour.

    Its process answers promptly (O) or too late (T), or the row is used just before the pass (U), after which the next
    one comes half an hour later.
    """

    async def story() -> list[int]:
        counts = []
        await world.runtime.sleep(LEAKED)
        for letter in passes:
            undo = answer_as(world, letter)
            await world.runtime.sleep(MINUTE)
            if letter == "U":
                await world.ports().registry.touch(A)
            await reconciler.run_pass()
            undo()
            counts += [row.in_flight for row in world.rows()]
            await world.runtime.sleep(LEAKED if letter == "U" else 0)
        return counts

    counts: list[int] = world.run(story())
    return counts


# Passes in turn: the count after each.
LEAKS: dict[str, list[int]] = {
    "OOO": [2, 0, 0],
    "TTT": [2, 2, 2],
    "OTO": [2, 2, 2],
    "OTOO": [2, 2, 2, 0],
    "OUOO": [2, 2, 2, 0],
}


@pytest.mark.parametrize(("passes", "expected"), LEAKS.items(), ids=LEAKS)
def test_two_prompt_answers_in_a_row_clear_the_count_of_a_row_unused_for_half_an_hour(
    passes: str, expected: list[int]
) -> None:
    world = left_behind()

    assert counts_after(world, state_pass(world), passes) == expected
    assert world.told() == []


def test_exactly_half_an_hour_is_not_enough() -> None:
    world = left_behind()
    reconciler = state_pass(world)

    run_passes(world, *[reconciler] * 2, every_ns=LEAKED // 2)

    assert [row.in_flight for row in world.rows()] == [2]


def test_the_time_since_the_last_use_is_told_by_the_wall_clock_of_the_frontend() -> None:
    world = left_behind()
    reconciler = state_pass(world, ports=world.ports(clock_ahead_ns=LEAKED))

    run_passes(world, *[reconciler] * 2, every_ns=1)

    assert [row.in_flight for row in world.rows()] == [0]


def test_at_the_first_miss_no_count_is_ever_cleared() -> None:
    world = left_behind()

    assert counts_after(world, state_pass(world, "first_miss"), "OOOO") == [2, 2, 2, 2]


@pytest.mark.parametrize(("health_waits", "expected"), [(True, [1, 1, 1]), (False, [1, 0, 0])])
def test_an_hour_long_request_keeps_its_count_only_where_health_calls_wait_behind_it(
    health_waits: bool, expected: list[int]
) -> None:
    world = left_behind(in_flight=1, health_waits=health_waits)
    reconciler = state_pass(world)

    async def story() -> list[int]:
        world.keep_busy(A, 60 * MINUTE)
        counts = []
        await world.runtime.sleep(LEAKED)
        for _ in range(3):
            await world.runtime.sleep(MINUTE)
            await reconciler.run_pass()
            counts += [row.in_flight for row in world.rows()]
        return counts

    assert world.run(story()) == expected


# The quarantine.


def advance_revision(world: FleetWorld, model: str = "m") -> Coroutine[Any, Any, Any]:
    """Have every row of the model be of an old revision."""
    return world.ports().registry.advance_revision(model, "new")


GONE_WITH_ITS_PROCESS = [Told("process_ended", "a#0", "", "stopped"), Told("row_removed", "a#0", "", "old_revision")]


def test_a_row_that_a_new_revision_overtakes_goes_with_its_process_at_once() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A, in_flight=1)
    world.place(ReplicaKey("b", "x", 0))
    reconciler = state_pass(world)

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert world.told() == GONE_WITH_ITS_PROCESS
    assert world.keys() == ["b#0"]


def test_a_row_that_a_new_revision_overtakes_goes_though_its_process_has_gone() -> None:
    world = FleetWorld(nodes("a"))
    world.write_row(A, "a:1")
    reconciler = state_pass(world)

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert world.told() == GONE_WITH_ITS_PROCESS[1:]


def test_a_worker_that_does_not_answer_leaves_an_overtaken_row_to_the_next_pass() -> None:
    world = FleetWorld(nodes("a", "b"))
    world.place(A)
    world.place(B)
    reconciler = state_pass(world)
    left = []

    async def story() -> None:
        await advance_revision(world)
        for is_up in (False, True):
            world.workers.nodes["a"].is_up = is_up
            await reconciler.run_pass()
            left.append(world.keys())

    world.run(story())

    assert left == [["a#0"], []]
    assert [told.about for told in world.told("row_removed")] == ["b#0", "a#0"]


def test_a_new_row_of_the_key_stays_when_the_overtaken_one_goes() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    ports = world.ports()

    async def around(_node: str, _name: str, call: MadeCall) -> Any:
        await ports.registry.publish(A, "a:2", 0, RowState.LOADING, "new")
        return await call()

    reconciler = state_pass(world, ports=replace(ports, worker=interposed_worker(ports.worker, around)))

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert [(row.address, row.state, row.revision) for row in world.rows()] == [("a:2", RowState.LOADING, "new")]
    assert world.told("row_removed") == []


def test_at_the_first_miss_overtaken_rows_stay() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    reconciler = state_pass(world, "first_miss")

    async def story() -> None:
        await advance_revision(world)
        await reconciler.run_pass()

    world.run(story())

    assert [row.state for row in world.rows()] == [RowState.UNLOADING]
    assert world.told() == []


def test_the_quarantine_costs_no_reading_as_long_as_there_is_nothing_in_it() -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    ports, asked = world.ports(), []

    async def around(name: str, call: MadeCall) -> Any:
        asked.append(name)
        return await call()

    registry = interposed_registry(ports.runtime, ports.registry, around)
    reconciler = state_pass(world, ports=replace(ports, registry=registry))
    without = ["try_lock", "fleet", "fleet", "fleet"]

    async def story() -> None:
        await reconciler.run_pass()
        assert asked == without
        await advance_revision(world)
        await reconciler.run_pass()
        assert asked == [*without, *without, "fleet", "remove_row"]
        await reconciler.run_pass()
        assert asked == [*without, *without, "fleet", "remove_row", *without]

    world.run(story())


# The pass as a whole.


@EACH_REAPER
def test_there_is_no_pass_while_another_frontend_makes_one(reaper: ReaperName) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    reconciler = state_pass(world, reaper)

    async def story() -> list[int]:
        await world.runtime.sleep(STALE + 1)
        async with world.ports().registry.lock(LOCK):
            await reconciler.run_pass()
        updated_ns = [row.updated_ns for row in world.rows()]
        await reconciler.run_pass()
        return updated_ns + [row.updated_ns for row in world.rows()]

    assert world.run(story()) == [0, STALE + 1]


def failing_once(world: FleetWorld, failing: str) -> FrontendPorts:
    """Return a frontend's ports, of which the first call of that registry method fails."""
    failures = [failing]

    async def around(name: str, call: MadeCall) -> Any:
        if name in failures:
            failures.remove(name)
            raise Unavailable(f"{name} fails")
        return await call()

    ports = world.ports()
    return replace(ports, registry=interposed_registry(ports.runtime, ports.registry, around))


@pytest.mark.parametrize("failing", ["try_lock", "fleet", "confirm_row", "remove_row", "clear_in_flight"])
def test_a_registry_that_fails_ends_the_pass_and_the_next_ones_make_up_for_it(failing: str) -> None:
    world = FleetWorld(nodes("a", "b"))
    world.write_row(A, "a:1")
    world.place(B, in_flight=1)

    run_passes(world, *[state_pass(world, ports=failing_once(world, failing))] * 4, every_ns=LEAKED + 1)

    assert [(str(row.key), row.in_flight, row.updated_ns) for row in world.rows()] == [("b#0", 0, 4 * (LEAKED + 1))]


@EACH_REAPER
def test_a_row_that_is_deleted_leaves_its_process_as_it_is(reaper: ReaperName) -> None:
    world = FleetWorld(nodes("a"))
    process = world.start(A)
    world.write_row(A, "a:1")

    run_passes(world, *[state_pass(world, reaper)] * 3, every_ns=STALE + 1)

    assert world.rows() == []
    assert world.process(A) is process
