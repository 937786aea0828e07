"""What every registry promises to requests, as one list of cases for the simulated one and for both real ones."""

from collections import Counter

import pytest

from sim.routing.fleet import NodeStatus, RowState
from sim.routing.registry import RowChange
from sim.routing.replica import ReplicaKey
from tests.choices import BEST
from tests.drivers import all_of
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import MODEL, MS, NODES, Arm, Story, picked, picked_nodes, put, row, rows

# Picks.


async def the_only_replica_is_picked_and_counted(arm: Arm) -> None:
    key = await put(arm, "n0")

    replica = await arm.registry.pick(MODEL, BEST)

    assert replica is not None
    assert (replica.key, replica.address, replica.in_flight) == (key, "n0:0", 0)
    assert await rows(arm) == {key: 1}


async def an_unknown_model_has_nothing_to_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await arm.registry.pick("another", BEST) is None

    assert await rows(arm) == {key: 0}


async def the_least_loaded_is_picked(arm: Arm) -> None:
    await put(arm, "n0", in_flight=2)
    await put(arm, "n1")

    assert await picked_nodes(arm, 2) == ["n1", "n1"]


async def picks_that_are_given_back_reach_every_node(arm: Arm) -> None:
    for facts in NODES:
        await put(arm, facts.name)

    async def give_back(key: ReplicaKey) -> None:
        arm.registry.give_back(key, 1)
        await arm.settle()

    picks = Counter(await picked_nodes(arm, 9, give_back))

    assert all(picks[facts.name] >= 2 for facts in NODES)


async def picks_that_are_kept_rotate_strictly(arm: Arm) -> None:
    for facts in NODES:
        await put(arm, facts.name)

    first_lap = await picked_nodes(arm, 3)

    assert sorted(first_lap) == ["n0", "n1", "n2"]
    assert await picked_nodes(arm, 6) == first_lap * 2


async def a_touched_replica_is_picked_last(arm: Arm) -> None:
    keys = [await put(arm, facts.name) for facts in NODES]

    await arm.registry.touch(keys[0])

    assert (await picked_nodes(arm, 3))[-1] == "n0"


async def a_pick_leaves_other_models_alone(arm: Arm) -> None:
    other = await put(arm, "n0", model="other")
    key = await put(arm, "n0")

    await arm.registry.pick(MODEL, BEST)

    assert await rows(arm) == {other: 0, key: 1}


async def only_rows_on_candidates_are_picked_however_loaded(arm: Arm) -> None:
    await put(arm, "n0", in_flight=0)
    included = await put(arm, "n1", in_flight=2)

    assert await picked(arm, candidates=["n1"]) == included


async def a_model_on_excluded_nodes_only_has_nothing_to_pick(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await picked(arm, candidates=["n1", "n2"]) is None

    assert await rows(arm) == {key: 0}


async def among_several_candidates_the_least_loaded_is_picked(arm: Arm) -> None:
    await put(arm, "n0")
    await put(arm, "n1", in_flight=1)
    await put(arm, "n2", in_flight=2)

    assert await picked(arm, candidates=["n2", "n1"]) == ReplicaKey("n1", MODEL, 0)


async def the_preferred_replica_is_picked_and_counted_whatever_its_load(arm: Arm) -> None:
    other, preferred = await put(arm, "n0"), await put(arm, "n1", in_flight=5)

    assert await picked(arm, preferred=preferred) == preferred

    assert await rows(arm) == {other: 0, preferred: 6}


async def of_two_idle_replicas_the_preferred_one_is_picked(arm: Arm) -> None:
    other, preferred = await put(arm, "n0"), await put(arm, "n1")

    assert await picked(arm, preferred=preferred) == preferred

    assert await rows(arm) == {other: 0, preferred: 1}


async def without_a_row_of_the_preferred_replica_the_least_loaded_is_picked(arm: Arm) -> None:
    least = await put(arm, "n0")
    await put(arm, "n1", in_flight=1)

    for preferred in (ReplicaKey("nowhere", MODEL, 0), ReplicaKey("n1", MODEL, 1), ReplicaKey("n1", "other", 0), None):
        assert await picked(arm, preferred=preferred) == least
        arm.registry.give_back(least, 1)
        await arm.settle()


async def a_preference_names_one_of_a_nodes_replicas(arm: Arm) -> None:
    first, second = await put(arm, "n0"), await put(arm, "n0", index=1)

    assert await picked(arm, preferred=second) == second
    assert await picked(arm, preferred=first) == first
    assert await picked(arm, preferred=first) == first


async def a_preferred_replica_that_is_no_candidate_is_passed_over(arm: Arm) -> None:
    preferred, candidate = await put(arm, "n0"), await put(arm, "n1", in_flight=3)

    assert await picked(arm, candidates=["n1", "n2"], preferred=preferred) == candidate


async def only_healthy_nodes_are_picked(arm: Arm) -> None:
    for status in NodeStatus:
        key = await put(arm, "n0")
        await arm.registry.set_status("n0", status)
        before = await picked(arm), await picked(arm, preferred=key)
        # One that is written later counts no more than one that was there.
        await put(arm, "n0")
        after = await picked(arm), await picked(arm, preferred=key)

        expected = key if status is NodeStatus.HEALTHY else None
        assert (before, after) == ((expected, expected), (expected, expected))


async def only_loaded_rows_are_picked(arm: Arm) -> None:
    for state in RowState:
        key = await put(arm, "n0", state=state)

        for preferred in (None, key):
            assert await picked(arm, preferred=preferred) == (key if state is RowState.LOADED else None)


# Counts and times of rows.


async def an_increment_counts_only_on_a_row(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert await arm.registry.increment(key) is True
    assert await arm.registry.increment(ReplicaKey("n1", MODEL, 0)) is False

    assert await rows(arm) == {key: 1}


async def giving_back_stops_at_0(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=2)

    arm.registry.give_back(key, 3)
    await arm.settle()
    arm.registry.give_back(key, 1)
    await arm.settle()

    assert await rows(arm) == {key: 0}


async def giving_back_to_a_row_that_has_gone_does_nothing(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=2)
    await arm.registry.remove(key)

    arm.registry.give_back(key, 1)
    await arm.settle()

    assert await rows(arm) == {}


async def what_is_a_use_of_a_row_also_updates_it(arm: Arm) -> None:
    key = ReplicaKey("n0", MODEL, 0)
    told = []
    arm.show(1)
    await put(arm, "n0")
    told.append(await row(arm, key))
    arm.show(2)
    await arm.registry.pick(MODEL, BEST)
    told.append(await row(arm, key))
    arm.show(3)
    await arm.registry.increment(key)
    told.append(await row(arm, key))
    arm.show(4)
    await arm.registry.touch(key)
    told.append(await row(arm, key))

    assert [(row.last_used_ns, row.updated_ns) for row in told] == [(1, 1), (2, 2), (3, 3), (4, 4)]


async def giving_back_is_no_use_of_a_row(arm: Arm) -> None:
    arm.show(1)
    key = await put(arm, "n0", in_flight=2)
    arm.show(2)

    arm.registry.give_back(key, 1)
    await arm.settle()

    found = await row(arm, key)
    assert (found.in_flight, found.last_used_ns, found.updated_ns) == (1, 1, 1)


async def publishing_replaces_the_row_of_that_key(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=7)
    before = await row(arm, key)

    await arm.registry.publish(key, "elsewhere", 1, RowState.STAGING)

    after = await row(arm, key)
    assert (after.address, after.in_flight, after.state) == ("elsewhere", 1, RowState.STAGING)
    assert after.id != before.id
    assert await rows(arm) == {key: 1}


async def a_row_is_removed_once(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert [await arm.registry.remove(key), await arm.registry.remove(key)] == [True, False]

    assert await arm.registry.pick(MODEL, BEST) is None


# Locks.


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
    async with arm.registry.lock("load a"), arm.registry.lock("load b"), arm.registry.try_lock("load c") as is_held:
        assert is_held


async def a_lock_is_free_again_after_a_failure(arm: Arm) -> None:
    with pytest.raises(ZeroDivisionError):
        async with arm.registry.lock("load"):
            raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError):
        async with arm.registry.try_lock("load"):
            raise ZeroDivisionError
    async with arm.registry.lock("load"):
        pass


async def a_lock_that_is_held_cannot_be_had_by_trying(arm: Arm) -> None:
    async with arm.registry.lock("pass"), arm.registry.try_lock("pass") as is_held:
        assert not is_held
    async with arm.registry.try_lock("pass") as is_held, arm.registry.try_lock("pass") as is_held_twice:
        assert (is_held, is_held_twice) == (True, False)


async def whoever_tried_in_vain_releases_nothing(arm: Arm) -> None:
    async with arm.registry.try_lock("pass"):
        for _ in range(2):
            async with arm.registry.try_lock("pass") as is_held:
                assert not is_held
    async with arm.registry.try_lock("pass") as is_held:
        assert is_held


async def a_lock_that_was_had_by_trying_is_waited_for(arm: Arm) -> None:
    told: list[str] = []

    async def hold() -> None:
        async with arm.registry.lock("pass"):
            told.append("waiter in")

    async with arm.registry.try_lock("pass"):
        waiter = arm.runtime.spawn(hold(), "waiter")
        await arm.runtime.sleep(20 * MS)
        told.append("out")
    while not waiter.done():
        await arm.runtime.sleep(MS)

    assert told == ["out", "waiter in"]


# Exchanges with frontends that count by themselves.


async def an_exchange_adds_and_takes_and_then_reads(arm: Arm) -> None:
    first, second = await put(arm, "n0", in_flight=1), await put(arm, "n1", in_flight=5)
    ids = {replica.key: replica.id for replica in await arm.registry.exchange(MODEL, {})}
    arm.show(77)

    changes = {ids[first]: RowChange(2, True), ids[second]: RowChange(-4, False), "gone": RowChange(9, True)}
    read = {replica.key: replica for replica in await arm.registry.exchange(MODEL, changes)}

    assert {key: replica.in_flight for key, replica in read.items()} == {first: 3, second: 1}
    assert await rows(arm) == {first: 3, second: 1}
    assert read[first].last_used_ns == 77 != read[second].last_used_ns


async def an_exchange_stops_at_0(arm: Arm) -> None:
    key = await put(arm, "n0", in_flight=1)
    (replica,) = await arm.registry.exchange(MODEL, {})

    await arm.registry.exchange(MODEL, {replica.id: RowChange(-2, is_used=False)})

    assert await rows(arm) == {key: 0}


async def an_exchange_shows_the_rows_that_a_pick_could_take(arm: Arm) -> None:
    await put(arm, "n0")
    await put(arm, "n1")
    await arm.registry.set_status("n0", NodeStatus.UNHEALTHY)

    assert [replica.key.node for replica in await arm.registry.exchange(MODEL, {})] == ["n1"]
    assert await arm.registry.exchange("another", {}) == []


CASES: list[Story] = [
    the_only_replica_is_picked_and_counted,
    an_unknown_model_has_nothing_to_pick,
    the_least_loaded_is_picked,
    picks_that_are_given_back_reach_every_node,
    picks_that_are_kept_rotate_strictly,
    a_touched_replica_is_picked_last,
    a_pick_leaves_other_models_alone,
    only_rows_on_candidates_are_picked_however_loaded,
    a_model_on_excluded_nodes_only_has_nothing_to_pick,
    among_several_candidates_the_least_loaded_is_picked,
    the_preferred_replica_is_picked_and_counted_whatever_its_load,
    of_two_idle_replicas_the_preferred_one_is_picked,
    without_a_row_of_the_preferred_replica_the_least_loaded_is_picked,
    a_preference_names_one_of_a_nodes_replicas,
    a_preferred_replica_that_is_no_candidate_is_passed_over,
    only_healthy_nodes_are_picked,
    only_loaded_rows_are_picked,
    an_increment_counts_only_on_a_row,
    giving_back_stops_at_0,
    giving_back_to_a_row_that_has_gone_does_nothing,
    what_is_a_use_of_a_row_also_updates_it,
    giving_back_is_no_use_of_a_row,
    publishing_replaces_the_row_of_that_key,
    a_row_is_removed_once,
    holders_of_a_lock_follow_one_another_as_they_came,
    locks_of_other_names_do_not_exclude,
    a_lock_is_free_again_after_a_failure,
    a_lock_that_is_held_cannot_be_had_by_trying,
    whoever_tried_in_vain_releases_nothing,
    a_lock_that_was_had_by_trying_is_waited_for,
    an_exchange_adds_and_takes_and_then_reads,
    an_exchange_stops_at_0,
    an_exchange_shows_the_rows_that_a_pick_could_take,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_keeps_its_promises_to_requests(case: Story, tell: Tell) -> None:
    tell(case)
