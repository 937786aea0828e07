"""What every registry promises, as one list of cases for the simulated one and for both real ones."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from sim.routing.ports import NodeView
from sim.routing.replica import ReplicaKey
from tests.drivers import all_of
from tests.live.registry_arms import GB, MODEL, MS, Arm, Nodes, Story, picked_nodes, put, tell_on_sql, tell_simulated

NODES: Nodes = {"n0": (2, 24 * GB), "n1": (1, 16 * GB), "n2": (1, 8 * GB)}


async def the_only_replica_is_picked_and_counted(arm: Arm) -> None:
    key = await put(arm, "n0")

    replica = await arm.registry.pick(MODEL)

    assert replica is not None
    assert (replica.key, replica.address, replica.in_flight) == (key, "n0:0", 0)
    assert await arm.in_flight(key) == 1


async def an_unknown_model_has_nothing_to_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await arm.registry.pick("another") is None

    assert await arm.in_flight(key) == 0


async def the_least_loaded_is_picked(arm: Arm) -> None:
    await put(arm, "n0", in_flight=2)
    await put(arm, "n1")

    assert await picked_nodes(arm, 2) == ["n1", "n1"]


async def picks_that_are_given_back_reach_every_node(arm: Arm) -> None:
    for node in NODES:
        await put(arm, node)

    async def give_back(key: ReplicaKey) -> None:
        arm.registry.give_back(key, 1)
        await arm.settle()

    picks = Counter(await picked_nodes(arm, 9, give_back))

    assert all(picks[node] >= 2 for node in NODES)


async def picks_that_are_kept_rotate_strictly(arm: Arm) -> None:
    for node in NODES:
        await put(arm, node)

    first_lap = await picked_nodes(arm, 3)

    assert sorted(first_lap) == ["n0", "n1", "n2"]
    assert await picked_nodes(arm, 6) == first_lap * 2


async def a_touched_replica_is_picked_last(arm: Arm) -> None:
    keys = [await put(arm, node) for node in NODES]

    await arm.registry.touch(keys[0])

    assert (await picked_nodes(arm, 3))[-1] == "n0"


async def a_pick_leaves_other_models_alone(arm: Arm) -> None:
    other = await put(arm, "n0", model="other")
    await put(arm, "n0")

    await arm.registry.pick(MODEL)

    assert await arm.in_flight(other) == 0


async def an_increment_counts_only_on_a_row(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await arm.registry.increment(key) is True
    assert await arm.registry.increment(ReplicaKey("n1", MODEL, 0)) is False

    assert await arm.in_flight(key) == 1


async def giving_back_stops_at_0(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=2)

    arm.registry.give_back(key, 3)
    await arm.settle()

    assert await arm.in_flight(key) == 0


async def giving_back_to_a_row_that_has_gone_does_nothing(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=2)
    await arm.registry.remove(key)

    arm.registry.give_back(key, 1)
    await arm.settle()

    assert await arm.in_flight(key) is None


async def publishing_replaces_the_row_of_that_key(arm: Arm) -> None:
    await put(arm, "n0", in_flight=7)
    key = ReplicaKey("n0", MODEL, 0)

    await arm.registry.publish(key, "elsewhere", in_flight=1)

    replica = await arm.registry.pick(MODEL)
    assert replica is not None
    assert (replica.address, replica.in_flight) == ("elsewhere", 1)
    assert [view.used_indexes for view in await arm.registry.nodes(MODEL)] == [(0,), (), ()]


async def a_row_is_removed_once(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert [await arm.registry.remove(key), await arm.registry.remove(key)] == [True, False]

    assert await arm.registry.pick(MODEL) is None


async def nodes_show_their_slots_and_load(arm: Arm) -> None:
    await put(arm, "n0", in_flight=2)
    await put(arm, "n0", in_flight=1, index=1)
    await put(arm, "n1", in_flight=4, model="other")

    assert await arm.registry.nodes(MODEL) == [
        NodeView("n0", 0, (0, 1), 2, 3, 24 * GB),
        NodeView("n1", 1, (), 1, 4, 16 * GB),
        NodeView("n2", 1, (), 0, 0, 8 * GB),
    ]


async def holders_of_a_lock_follow_one_another_as_they_came(arm: Arm) -> None:
    told: list[str] = []

    async def hold(name: str) -> None:
        async with arm.registry.lock("load"):
            told.append(f"{name} in")
            await arm.runtime.sleep(2 * MS)
            told.append(f"{name} out")

    await all_of(arm.runtime, [hold("a"), hold("b"), hold("c")])

    assert told == ["a in", "a out", "b in", "b out", "c in", "c out"]


async def locks_of_other_names_do_not_exclude(arm: Arm) -> None:
    async with arm.registry.lock("load a"), arm.registry.lock("load b"):
        pass


async def a_lock_is_free_again_after_a_failure(arm: Arm) -> None:
    with pytest.raises(ZeroDivisionError):
        async with arm.registry.lock("load"):
            raise ZeroDivisionError
    async with arm.registry.lock("load"):
        pass


CASES: list[Story] = [
    the_only_replica_is_picked_and_counted,
    an_unknown_model_has_nothing_to_pick,
    the_least_loaded_is_picked,
    picks_that_are_given_back_reach_every_node,
    picks_that_are_kept_rotate_strictly,
    a_touched_replica_is_picked_last,
    a_pick_leaves_other_models_alone,
    an_increment_counts_only_on_a_row,
    giving_back_stops_at_0,
    giving_back_to_a_row_that_has_gone_does_nothing,
    publishing_replaces_the_row_of_that_key,
    a_row_is_removed_once,
    nodes_show_their_slots_and_load,
    holders_of_a_lock_follow_one_another_as_they_came,
    locks_of_other_names_do_not_exclude,
    a_lock_is_free_again_after_a_failure,
]

each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
each_mode = pytest.mark.parametrize("mode", ["read_committed", "locked", "serial"])


@each_mode
@each_case
def test_the_simulated_registry_keeps_the_contract(case: Story, mode: str) -> None:
    tell_simulated(mode, NODES, case)


@each_case
def test_sqlite_keeps_the_contract(case: Story, tmp_path: Path) -> None:
    asyncio.run(tell_on_sql(f"sqlite:///{tmp_path}/registry.db", "read_committed", NODES, case))


@each_mode
@each_case
def test_postgresql_keeps_the_contract(case: Story, mode: str, postgres_url: str) -> None:
    asyncio.run(tell_on_sql(postgres_url, mode, NODES, case))
