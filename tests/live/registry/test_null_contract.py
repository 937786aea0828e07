"""What every registry makes of a NULL that something else has written: it sorts last upwards, and first downwards."""

from functools import partial

import pytest

from sim.routing.policies.best_replica import pick_best_replica
from sim.routing.registry import RowChange
from sim.routing.replica import NULL
from tests.choices import BEST
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import MODEL, Arm, Story, put

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


CASES: list[Story] = [
    a_pick_shows_a_null_and_leaves_it,
    an_exchange_leaves_a_null,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_keeps_its_promises_about_nulls(case: Story, tell: Tell) -> None:
    tell(case)
