"""What every registry makes of a write to a row that an open pick holds: it waits, and then judges the row anew."""

import pytest

from sim.routing.fleet import Fleet, NodeReport, NodeStatus, ReplicaRow, RowState
from sim.routing.registry import RowChange
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import NODES, Arm, Story, node, put, row, rows

LATER = 100


async def a_row_is_removed_after_the_pick(arm: Arm) -> None:
    key = await put(arm, "n0")
    found = await row(arm, key)

    assert await arm.during_a_pick(key, arm.registry.remove_row(found.id)) == [True]

    assert await rows(arm) == {}


async def a_row_is_removed_by_its_key_after_the_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await arm.during_a_pick(key, arm.registry.remove(key)) == [True]

    assert await rows(arm) == {}


async def a_row_is_not_removed_as_idle_that_the_pick_has_counted_on(arm: Arm) -> None:
    arm.show(5)
    key = await put(arm, "n0")
    found = await row(arm, key)

    assert await arm.during_a_pick(key, arm.registry.remove_idle_row(found.id, LATER)) == [False]

    assert await rows(arm) == {key: 1}


async def a_row_is_confirmed_after_the_pick(arm: Arm) -> None:
    arm.show(5)
    key = await put(arm, "n0")
    found = await row(arm, key)
    arm.show(9)

    await arm.during_a_pick(key, arm.registry.confirm_row(found.id))

    found = await row(arm, key)
    assert (found.in_flight, found.last_used_ns, found.updated_ns) == (1, 9, 9)


async def the_count_of_the_pick_is_cleared_too(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=2)
    found = await row(arm, key)

    await arm.during_a_pick(key, arm.registry.clear_in_flight(found.id))

    assert await rows(arm) == {key: 0}


def the_idle_row(fleet: Fleet) -> ReplicaRow | None:
    return next((row for row in fleet.rows if not row.in_flight), None)


async def an_eviction_finds_no_idle_row_where_the_pick_has_counted(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await arm.during_a_pick(key, arm.registry.evict(the_idle_row)) == [None]

    assert await rows(arm) == {key: 1}


async def an_eviction_takes_a_row_that_is_idle_after_the_pick(arm: Arm) -> None:
    key, other = await put(arm, "n0"), await put(arm, "n1")

    [evicted] = await arm.during_a_pick(key, arm.registry.evict(the_idle_row))

    assert evicted.key == other
    assert await rows(arm) == {key: 1}


async def a_node_that_goes_offline_loses_the_row_with_the_count_of_the_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    [removed] = await arm.during_a_pick(key, arm.registry.set_status("n0", NodeStatus.OFFLINE))

    assert [(row.key, row.in_flight) for row in removed] == [(key, 1)]
    assert await rows(arm) == {}


async def a_node_that_registers_again_loses_the_row_with_the_count_of_the_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    [removed] = await arm.during_a_pick(key, arm.registry.register_node(NODES[0]))

    assert [(row.key, row.in_flight) for row in removed] == [(key, 1)]
    assert await rows(arm) == {}


async def a_new_revision_overtakes_the_row_with_the_count_of_the_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    [overtaken] = await arm.during_a_pick(key, arm.registry.advance_revision("m", "new"))

    assert [(row.key, row.in_flight) for row in overtaken] == [(key, 1)]
    assert (await row(arm, key)).state is RowState.UNLOADING


async def counts_that_were_kept_apart_are_added_to_that_of_the_pick(arm: Arm) -> None:
    key = await put(arm, "n0")
    found = await row(arm, key)

    [listed] = await arm.during_a_pick(key, arm.registry.exchange("m", {found.id: RowChange(3, is_used=True)}))

    assert [replica.in_flight for replica in listed] == [4]


async def a_heartbeat_comes_after_the_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    await arm.during_a_pick(key, arm.registry.heartbeat("n0", NodeReport(available_vram_bytes=7)))

    assert (await node(arm, "n0")).available_vram_bytes == 7


async def memory_is_reserved_after_the_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await arm.during_a_pick(key, arm.registry.reserve_vram("n0", 7)) == [True]

    assert (await node(arm, "n0")).reserved_vram_bytes == 7


async def a_row_that_is_published_again_takes_the_place_of_the_one_the_pick_counted_on(arm: Arm) -> None:
    key = await put(arm, "n0")

    await arm.during_a_pick(key, put(arm, "n0", in_flight=5))

    assert await rows(arm) == {key: 5}


# Which of two writes that wait for a pick comes first is open on PostgreSQL. In either order the new row is not the one
# that the other write was for.


async def an_increment_misses_the_row_that_has_taken_the_place_of_its_own(arm: Arm) -> None:
    key = await put(arm, "n0")

    await arm.during_a_pick(key, put(arm, "n0", in_flight=5), arm.registry.increment(key))

    assert await rows(arm) == {key: 5}


async def a_decrement_misses_the_row_that_has_taken_the_place_of_its_own(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=1)

    await arm.during_a_pick(key, put(arm, "n0", in_flight=5), arm.registry.decrement(key, 1))

    assert await rows(arm) == {key: 5}


async def a_removal_by_key_misses_the_row_that_has_taken_the_place_of_its_own(arm: Arm) -> None:
    key = await put(arm, "n0")

    await arm.during_a_pick(key, put(arm, "n0", in_flight=5), arm.registry.remove(key))

    assert await rows(arm) == {key: 5}


CASES: list[Story] = [
    a_row_is_removed_after_the_pick,
    a_row_is_removed_by_its_key_after_the_pick,
    a_row_is_not_removed_as_idle_that_the_pick_has_counted_on,
    a_row_is_confirmed_after_the_pick,
    the_count_of_the_pick_is_cleared_too,
    an_eviction_finds_no_idle_row_where_the_pick_has_counted,
    an_eviction_takes_a_row_that_is_idle_after_the_pick,
    a_node_that_goes_offline_loses_the_row_with_the_count_of_the_pick,
    a_node_that_registers_again_loses_the_row_with_the_count_of_the_pick,
    a_new_revision_overtakes_the_row_with_the_count_of_the_pick,
    counts_that_were_kept_apart_are_added_to_that_of_the_pick,
    a_heartbeat_comes_after_the_pick,
    memory_is_reserved_after_the_pick,
    a_row_that_is_published_again_takes_the_place_of_the_one_the_pick_counted_on,
    an_increment_misses_the_row_that_has_taken_the_place_of_its_own,
    a_decrement_misses_the_row_that_has_taken_the_place_of_its_own,
    a_removal_by_key_misses_the_row_that_has_taken_the_place_of_its_own,
]

WHERE_PICKS_STAY_OPEN = [("simulated", "read_committed"), ("postgresql", "read_committed")]


@pytest.mark.parametrize("tell", WHERE_PICKS_STAY_OPEN, indirect=True, ids=" ".join)
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_lets_an_open_pick_end_before_it_writes_to_its_row(case: Story, tell: Tell) -> None:
    tell(case)
