"""Stale rows held against health calls to their addresses."""

import pytest

from sim.measure.recording.records import MISSING
from sim.routing.outcomes import ProbeOutcome
from sim.routing.settings import ReaperName
from tests.drivers import SECOND
from tests.routing.control_plane.state_passes import (
    EACH_REAPER,
    MINUTE,
    REMOVED_BY_PROBE,
    STALE,
    A,
    B,
    answer_as,
    run_passes,
    silence,
    state_pass,
)
from tests.routing.fleet_world import FleetWorld, Told, nodes

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
    at_first_miss, at_third_refusal = PROBES[probes]
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

    assert world.run(story()) == (at_first_miss if reaper == "first_miss" else at_third_refusal)


@pytest.mark.parametrize(
    ("letter", "outcome"), [("O", ProbeOutcome.OK), ("T", ProbeOutcome.TIMEOUT), ("F", ProbeOutcome.FAILED)]
)
@EACH_REAPER
def test_a_probe_is_told_with_its_outcome_and_without_a_request(
    reaper: ReaperName, letter: str, outcome: ProbeOutcome
) -> None:
    world = FleetWorld(nodes("a"))
    world.place(A)
    silence(world, "a")
    answer_as(world, letter)

    run_passes(world, state_pass(world, reaper), every_ns=STALE + 1)

    told = world.journal.records.probes
    assert (told["outcome"].tolist(), told["request"].tolist()) == ([outcome], [MISSING])


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
