"""What every registry makes of a NULL that something else has written.

It sorts last upwards, and first downwards. It is neither above nor below any number, so no condition on it holds.
"""

from functools import partial

import pytest

from sim.routing.fleet import NodeReport
from sim.routing.policies.best_replica import pick_best_replica
from sim.routing.registry import RowChange
from sim.routing.replica import NULL
from tests.choices import BEST
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import GB, MODEL, Arm, Story, node, put, row, rows

# Each row is written with these counts in flight, at the same time, on nodes with 24, 16 and 8 GB;
# column that is NULL, where: (counts by node, the node that is picked)
PICKS: dict[tuple[str, str], tuple[dict[str, int], str]] = {
    ("in_flight", "n0"): ({"n0": 0, "n1": 5}, "n1"),
    ("last_used", "n0"): ({"n0": 0, "n1": 0}, "n1"),
    ("available_vram", "n2"): ({"n0": 0, "n1": 0, "n2": 0}, "n2"),
}


async def is_picked_alike(column: str, emptied: str, counts: dict[str, int], best: str, arm: Arm) -> None:
    arm.show(5)
    keys = {node: await put(arm, node, in_flight) for node, in_flight in counts.items()}
    await arm.empty(keys[emptied], column)

    from_list = pick_best_replica(await arm.registry.exchange(MODEL, {}))
    from_table = await arm.registry.pick(MODEL, BEST)

    assert from_list == from_table
    assert from_table is not None
    assert from_table.key == keys[best]


@pytest.mark.parametrize(("place", "expected"), PICKS.items(), ids=map(" ".join, PICKS))
def test_a_null_decides_a_pick_from_a_list_as_it_decides_one_from_the_table(
    place: tuple[str, str], expected: tuple[dict[str, int], str], tell: Tell
) -> None:
    tell(partial(is_picked_alike, *place, *expected))


async def a_pick_shows_a_null_and_leaves_it(arm: Arm) -> None:
    key = await put(arm, "n0")
    await arm.empty(key, "in_flight")

    seen = [await arm.registry.pick(MODEL, BEST) for _ in range(2)]

    assert [replica and replica.in_flight for replica in seen] == [NULL, NULL]


async def an_exchange_leaves_a_null(arm: Arm) -> None:
    key = await put(arm, "n0")
    await arm.empty(key, "in_flight")
    (read,) = await arm.registry.exchange(MODEL, {})

    for added in (2, -3):
        (read,) = await arm.registry.exchange(MODEL, {read.id: RowChange(added, is_used=False)})

    assert read.in_flight == NULL


async def the_fleet_shows_nulls(arm: Arm) -> None:
    arm.show(5)
    key = await put(arm, "n0", in_flight=1)
    await arm.registry.reserve_vram("n0", 3)
    for column in ("in_flight", "last_used", "available_vram"):
        await arm.empty(key, column)

    found, of_node = await row(arm, key), await node(arm, "n0")

    assert (found.in_flight, found.last_used_ns, found.updated_ns) == (NULL, NULL, 5)
    assert (of_node.available_vram_bytes, of_node.reserved_vram_bytes, of_node.unreserved_vram_bytes) == (NULL, 3, 0)


async def a_row_with_a_null_is_not_removed_as_idle(arm: Arm) -> None:
    arm.show(5)
    keys = {column: await put(arm, "n0", index=index) for index, column in enumerate(("in_flight", "last_used"))}
    for column, key in keys.items():
        await arm.empty(key, column)

        assert await arm.registry.remove_idle_row((await row(arm, key)).id, 1000) is False


async def vram_that_is_null_is_not_reserved(arm: Arm) -> None:
    await arm.empty(await put(arm, "n0"), "available_vram")

    assert [await arm.registry.reserve_vram("n0", size_bytes) for size_bytes in (1, 0)] == [False, False]

    assert (await node(arm, "n0")).reserved_vram_bytes == 0


async def a_null_is_not_given_back(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=1)
    await arm.empty(key, "in_flight")

    await arm.registry.decrement(key, 2)

    assert await rows(arm) == {key: NULL}
    assert arm.floor_hits == 0


async def a_null_that_is_written_over_is_a_number_again(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=1)
    for column in ("in_flight", "last_used", "available_vram"):
        await arm.empty(key, column)
    arm.show(9)

    await arm.registry.clear_in_flight((await row(arm, key)).id)
    await arm.registry.touch(key)
    await arm.registry.heartbeat("n0", NodeReport(available_vram_bytes=GB))

    (found,) = await arm.registry.exchange(MODEL, {})
    assert (found.in_flight, found.last_used_ns, found.available_vram_bytes) == (0, 9, GB)


CASES: list[Story] = [
    the_fleet_shows_nulls,
    a_row_with_a_null_is_not_removed_as_idle,
    vram_that_is_null_is_not_reserved,
    a_null_is_not_given_back,
    a_null_that_is_written_over_is_a_number_again,
    a_pick_shows_a_null_and_leaves_it,
    an_exchange_leaves_a_null,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_keeps_its_promises_about_nulls(case: Story, tell: Tell) -> None:
    tell(case)
