"""What every registry promises of single rows: how they are confirmed, cleared, removed and evicted."""

import pytest

from sim.routing.fleet import Fleet, ReplicaRow, RowState
from tests.drivers import all_of
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import Arm, Story, put, row, rows


async def a_row_is_removed_by_its_id_once(arm: Arm) -> None:
    key, other = await put(arm, "n0", in_flight=1), await put(arm, "n1")
    found = await row(arm, key)

    assert [await arm.registry.remove_row(found.id), await arm.registry.remove_row(found.id)] == [True, False]

    assert await rows(arm) == {other: 0}


async def a_new_row_of_the_key_is_not_removed_by_the_old_id(arm: Arm) -> None:
    key = await put(arm, "n0")
    old = await row(arm, key)
    await put(arm, "n0")

    assert await arm.registry.remove_row(old.id) is False
    assert await arm.registry.remove_idle_row(old.id, old.last_used_ns) is False

    assert await rows(arm) == {key: 0}


async def an_idle_row_is_removed_if_it_was_not_used_later(arm: Arm) -> None:
    arm.show(5)
    key = await put(arm, "n0")
    found = await row(arm, key)

    assert await arm.registry.remove_idle_row(found.id, 4) is False
    assert await arm.registry.remove_idle_row(found.id, 5) is True

    assert await rows(arm) == {}


async def a_busy_row_is_not_removed_as_idle(arm: Arm) -> None:
    arm.show(5)
    key = await put(arm, "n0", in_flight=1)
    found = await row(arm, key)

    assert await arm.registry.remove_idle_row(found.id, 1000) is False

    assert await rows(arm) == {key: 1}


async def a_confirmed_row_is_updated_but_not_used(arm: Arm) -> None:
    arm.show(5)
    key = await put(arm, "n0", in_flight=2)
    arm.show(9)

    await arm.registry.confirm_row((await row(arm, key)).id)
    await arm.registry.confirm_row("no such row")

    found = await row(arm, key)
    assert (found.in_flight, found.last_used_ns, found.updated_ns) == (2, 5, 9)


async def a_row_was_updated_when_its_last_writer_says_even_by_a_clock_that_is_behind(arm: Arm) -> None:
    arm.show(9)
    key = await put(arm, "n0")
    arm.show(5)

    await arm.registry.confirm_row((await row(arm, key)).id)

    found = await row(arm, key)
    assert (found.last_used_ns, found.updated_ns) == (9, 5)


async def a_count_is_cleared_and_nothing_else(arm: Arm) -> None:
    arm.show(5)
    key = await put(arm, "n0", in_flight=2)
    arm.show(9)

    await arm.registry.clear_in_flight((await row(arm, key)).id)
    await arm.registry.clear_in_flight("no such row")

    found = await row(arm, key)
    assert (found.in_flight, found.last_used_ns, found.updated_ns) == (0, 5, 5)


async def an_eviction_deletes_what_is_chosen_from_the_whole_fleet(arm: Arm) -> None:
    kept = await put(arm, "n0", in_flight=1)
    await put(arm, "n1", model="other", state=RowState.UNLOADING)
    seen: list[Fleet] = []

    def choose(fleet: Fleet) -> ReplicaRow:
        seen.append(fleet)
        return next(row for row in fleet.rows if row.key.node == "n1")

    before = await arm.registry.fleet()
    evicted = await arm.registry.evict(choose)

    assert seen == [before]
    assert evicted == next(row for row in before.rows if row.key.node == "n1")
    assert await rows(arm) == {kept: 1}


async def an_eviction_that_chooses_nothing_deletes_nothing(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await arm.registry.evict(lambda _: None) is None

    assert await rows(arm) == {key: 0}


async def simultaneous_evictions_each_delete_another_row(arm: Arm) -> None:
    keys = [await put(arm, "n0", index=index) for index in range(5)]

    evicted = await all_of(
        arm.runtime, [arm.registry.evict(lambda fleet: next(iter(fleet.rows), None)) for _ in range(7)]
    )

    assert sorted(row.key for row in evicted if row is not None) == keys
    assert await rows(arm) == {}


CASES: list[Story] = [
    a_row_is_removed_by_its_id_once,
    a_new_row_of_the_key_is_not_removed_by_the_old_id,
    an_idle_row_is_removed_if_it_was_not_used_later,
    a_busy_row_is_not_removed_as_idle,
    a_confirmed_row_is_updated_but_not_used,
    a_row_was_updated_when_its_last_writer_says_even_by_a_clock_that_is_behind,
    a_count_is_cleared_and_nothing_else,
    an_eviction_deletes_what_is_chosen_from_the_whole_fleet,
    an_eviction_that_chooses_nothing_deletes_nothing,
    simultaneous_evictions_each_delete_another_row,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_keeps_its_promises_to_the_loops(case: Story, tell: Tell) -> None:
    tell(case)
