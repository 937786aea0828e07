"""What every registry promises to placement and to the background loops, and of the loads that it keeps."""

from contextlib import suppress
from dataclasses import replace

import pytest

from sim.routing.errors import StaleRevision
from sim.routing.fleet import NO_COOLDOWN, Cooldown, Fleet, Node, NodeFacts, NodeReport, ReplicaRow
from sim.routing.load_jobs import LoadJob, LoadState
from sim.routing.loading.placement import capacity
from sim.routing.model_config import ModelConfig
from sim.routing.replica import ReplicaKey
from sim.routing.states import NodeStatus, RowState
from tests.choices import BEST
from tests.drivers import all_of
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import GB, MODEL, Arm, Story, node, picked, put, row, rows

# The fleet as it is read.


async def a_fleet_shows_its_nodes_by_name(arm: Arm) -> None:
    arm.show(7)
    facts = NodeFacts("n1", "n1:50051", 3, 16 * GB, 500 * GB, {"gpu": "h100", "zone": "a"})

    await arm.registry.register_node(facts)

    fleet = await arm.registry.fleet()
    assert [node.name for node in fleet.nodes] == ["n0", "n1", "n2", "n3"]
    assert fleet.nodes[1] == Node(
        name="n1",
        status=NodeStatus.HEALTHY,
        address="n1:50051",
        slots=3,
        labels={"gpu": "h100", "zone": "a"},
        heartbeat_ns=7,
        available_vram_bytes=16 * GB,
        reserved_vram_bytes=0,
        total_disk_bytes=500 * GB,
        available_disk_bytes=500 * GB,
    )


async def a_fleet_shows_rows_in_every_state_by_id(arm: Arm) -> None:
    arm.show(7)
    keys = {state: await put(arm, "n0", index=index, state=state) for index, state in enumerate(RowState)}
    other = await put(arm, "n1", in_flight=4, model="other")

    fleet = await arm.registry.fleet()

    assert [row.id for row in fleet.rows] == sorted(row.id for row in fleet.rows)
    assert {row.key: row.state for row in fleet.rows} == {key: state for state, key in keys.items()} | {
        other: RowState.LOADED
    }
    found = await row(arm, other)
    assert found == ReplicaRow(found.id, other, "n1:0", RowState.LOADED, 4, 7, 7)


async def a_model_that_was_published_stays_loadable(arm: Arm) -> None:
    assert (await arm.registry.fleet()).loadable == {}
    key = await put(arm, "n0", state=RowState.STAGING)
    await put(arm, "n1", model="other")
    await put(arm, "n0")

    await arm.registry.remove(key)

    assert (await arm.registry.fleet()).loadable == {MODEL: None, "other": None}


# Nodes.


async def a_node_that_registers_again_is_healthy_and_empty(arm: Arm) -> None:
    lost, kept = await put(arm, "n1", in_flight=3), await put(arm, "n0")
    before = await row(arm, lost)
    await arm.registry.set_cooldown("one", Cooldown(1, 0))
    await arm.registry.set_cooldown("other", Cooldown(3, 9))
    await arm.registry.reserve_vram("n1", GB)
    await arm.registry.heartbeat("n1", NodeReport(available_vram_bytes=2 * GB))
    await arm.registry.set_status("n1", NodeStatus.UNHEALTHY)

    removed = await arm.registry.register_node(NodeFacts("n1", slots=2, total_vram_bytes=32 * GB))

    assert removed == [before]
    assert await rows(arm) == {kept: 0}
    assert (await arm.registry.fleet()).cooldowns == {}
    found = await node(arm, "n1")
    assert (found.status, found.slots) == (NodeStatus.HEALTHY, 2)
    assert (found.available_vram_bytes, found.reserved_vram_bytes) == (32 * GB, 0)


async def a_heartbeat_is_dated_and_changes_no_status(arm: Arm) -> None:
    await arm.registry.set_status("n0", NodeStatus.OFFLINE)
    arm.show(42)

    await arm.registry.heartbeat("n0", NodeReport())

    found = await node(arm, "n0")
    assert (found.heartbeat_ns, found.status, found.available_vram_bytes) == (42, NodeStatus.OFFLINE, 24 * GB)


async def reported_vram_takes_the_place_of_what_was_reserved(arm: Arm) -> None:
    await arm.registry.reserve_vram("n0", 4 * GB)
    await arm.registry.heartbeat("n0", NodeReport(available_disk_bytes=5 * GB))
    between = await node(arm, "n0")

    await arm.registry.heartbeat("n0", NodeReport(available_vram_bytes=9 * GB))

    after = await node(arm, "n0")
    assert (between.available_vram_bytes, between.reserved_vram_bytes) == (24 * GB, 4 * GB)
    assert (after.available_vram_bytes, after.reserved_vram_bytes) == (9 * GB, 0)
    assert after.available_disk_bytes == 5 * GB


async def reported_vram_decides_between_replicas_that_are_alike(arm: Arm) -> None:
    arm.show(1)
    await put(arm, "n0")
    await put(arm, "n1")
    await arm.registry.heartbeat("n0", NodeReport(available_vram_bytes=GB))

    replica = await arm.registry.pick(MODEL, BEST)

    assert replica is not None
    assert (replica.key.node, replica.available_vram_bytes) == ("n1", 16 * GB)


async def a_node_that_goes_offline_or_drains_loses_its_rows(arm: Arm) -> None:
    for status in NodeStatus:
        key, other = await put(arm, "n0", in_flight=1), await put(arm, "n1")
        before = await row(arm, key)

        removed = await arm.registry.set_status("n0", status)

        goes = status in (NodeStatus.OFFLINE, NodeStatus.DRAINING)
        assert removed == ([before] if goes else [])
        assert await rows(arm) == ({other: 0} if goes else {key: 1, other: 0})
        assert (await node(arm, "n0")).status is status


async def vram_is_reserved_up_to_what_is_available(arm: Arm) -> None:
    first = await arm.registry.reserve_vram("n2", 5 * GB)
    too_much = await arm.registry.reserve_vram("n2", 3 * GB + 1)
    rest = await arm.registry.reserve_vram("n2", 3 * GB)

    assert (first, too_much, rest) == (True, False, True)
    assert (await node(arm, "n2")).reserved_vram_bytes == 8 * GB


async def vram_is_released_down_to_0(arm: Arm) -> None:
    await arm.registry.reserve_vram("n2", 5 * GB)

    await arm.registry.release_vram("n2", 2 * GB)
    after_one = await node(arm, "n2")
    await arm.registry.release_vram("n2", 5 * GB)

    assert (after_one.reserved_vram_bytes, after_one.unreserved_vram_bytes) == (3 * GB, 5 * GB)
    assert (await node(arm, "n2")).reserved_vram_bytes == 0


async def simultaneous_reservations_never_promise_the_same_vram_twice(arm: Arm) -> None:
    promised = await all_of(arm.runtime, [arm.registry.reserve_vram("n2", 3 * GB) for _ in range(6)])

    assert sorted(promised) == [False] * 4 + [True] * 2
    assert (await node(arm, "n2")).reserved_vram_bytes == 6 * GB


# Rows, by their ids.


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


# Revisions of a model's config.


async def a_model_of_which_nobody_has_set_a_revision_has_none(arm: Arm) -> None:
    key = await put(arm, "n0")

    assert (await arm.registry.fleet()).revisions == {}
    assert (await row(arm, key)).revision == ""


async def a_new_revision_turns_what_serves_or_is_about_to_into_unloading(arm: Arm) -> None:
    keys = {state: await put(arm, "n0", in_flight=3, index=index, state=state) for index, state in enumerate(RowState)}
    other = await put(arm, "n1", model="other")
    before = {state: await row(arm, key) for state, key in keys.items()}

    overtaken = await arm.registry.advance_revision(MODEL, "rev-1")

    going = [RowState.STAGING, RowState.LOADING, RowState.LOADED]
    assert sorted(overtaken, key=lambda row: row.id) == sorted(
        (replace(before[state], state=RowState.UNLOADING) for state in going), key=lambda row: row.id
    )
    expected = {key: RowState.UNLOADING if state in going else state for state, key in keys.items()}
    fleet = await arm.registry.fleet()
    assert {row.key: row.state for row in fleet.rows} == expected | {other: RowState.LOADED}
    assert fleet.revisions == {MODEL: "rev-1"}
    assert await arm.registry.pick(MODEL, BEST) is None


async def a_new_revision_overtakes_the_rows_of_the_one_before(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-1")
    key = await put(arm, "n0", revision="rev-1")
    assert await picked(arm) == key

    overtaken = await arm.registry.advance_revision(MODEL, "rev-2")

    assert [(row.key, row.state, row.revision) for row in overtaken] == [(key, RowState.UNLOADING, "rev-1")]
    assert (await arm.registry.fleet()).revisions == {MODEL: "rev-2"}
    assert await picked(arm, preferred=key) is None


async def with_a_new_revision_it_is_forgotten_how_to_load_the_model(arm: Arm) -> None:
    await put(arm, "n0")
    await put(arm, "n1", model="other")

    await arm.registry.advance_revision(MODEL, "rev-1")

    assert (await arm.registry.fleet()).loadable == {"other": None}


async def advancing_to_the_current_revision_changes_nothing(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-1")
    await put(arm, "n0", revision="rev-1")
    before = await arm.registry.fleet()

    assert await arm.registry.advance_revision(MODEL, "rev-1") == []

    assert await arm.registry.fleet() == before
    assert before.loadable == {MODEL: None}


async def what_was_loaded_for_a_stale_revision_is_not_published(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-1")
    await arm.registry.advance_revision(MODEL, "rev-2")
    await arm.registry.advance_revision("other", "rev-1")
    key = await put(arm, "n0", in_flight=2, revision="rev-2")

    for stale in ("", "rev-1", "rev-3"):
        for state in RowState:
            with pytest.raises(StaleRevision, match="rev-2"):
                await put(arm, "n0", state=state, revision=stale)

    assert await rows(arm) == {key: 2}
    assert (await row(arm, key)).revision == "rev-2"


async def of_what_is_published_while_the_revision_advances_nothing_stale_is_left_loaded(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-1")

    async def publish(node: str, index: int) -> None:
        with suppress(StaleRevision):
            await put(arm, node, index=index, revision="rev-1")

    places = [("n0", 0), ("n0", 1), ("n1", 0), ("n2", 0), ("n3", 0)]
    some, others = [publish(*place) for place in places[:2]], [publish(*place) for place in places[2:]]
    await all_of(arm.runtime, [*some, arm.registry.advance_revision(MODEL, "rev-2"), *others])

    states = [row.state for row in (await arm.registry.fleet()).rows]
    assert RowState.LOADED not in states


async def where_there_is_no_revision_none_is_published(arm: Arm) -> None:
    with pytest.raises(StaleRevision):
        await put(arm, "n0", revision="rev-1")

    assert await rows(arm) == {}
    assert (await arm.registry.fleet()).loadable == {}


async def only_rows_of_the_current_revision_are_picked_and_counted(arm: Arm) -> None:
    await arm.registry.register_node(NodeFacts("n0", slots=1))
    await arm.registry.advance_revision(MODEL, "rev-2")
    current = await put(arm, "n0", in_flight=3, revision="rev-2")
    none, old, unloading = (ReplicaKey(name, MODEL, 0) for name in ("n1", "n2", "n3"))
    await arm.write_loose(none, 5, RowState.LOADED, "")
    await arm.write_loose(old, 7, RowState.LOADED, "rev-1")
    await arm.write_loose(unloading, 11, RowState.UNLOADING, "rev-2")

    assert await picked(arm) == current

    assert await rows(arm) == {current: 4, none: 5, old: 7, unloading: 11}
    fleet = await arm.registry.fleet()
    assert [row.key for row in fleet.loaded(MODEL)] == [current]
    assert [node.slots for node in fleet.nodes] == [1, 1, 1, 1]
    assert capacity(fleet, ModelConfig(MODEL)) == 3


async def an_idle_row_of_another_revision_is_not_picked_however_it_is_asked_for(arm: Arm) -> None:
    await arm.registry.advance_revision(MODEL, "rev-2")
    old = ReplicaKey("n1", MODEL, 0)
    await arm.write_loose(old, 0, RowState.LOADED, "rev-1")

    assert [await picked(arm), await picked(arm, candidates=["n1"]), await picked(arm, preferred=old)] == [None] * 3

    current = await put(arm, "n0", in_flight=9, revision="rev-2")
    assert await picked(arm, preferred=old) == current


# What the loops share.


async def a_cooldown_stands_until_it_is_cleared(arm: Arm) -> None:
    await arm.registry.set_cooldown(MODEL, Cooldown(1, 0))
    await arm.registry.set_cooldown("other", Cooldown(7, 8))
    await arm.registry.set_cooldown(MODEL, Cooldown(3, 300))
    standing = (await arm.registry.fleet()).cooldowns

    await arm.registry.set_cooldown(MODEL, NO_COOLDOWN)
    await arm.registry.set_cooldown("never set", NO_COOLDOWN)

    assert standing == {MODEL: Cooldown(3, 300), "other": Cooldown(7, 8)}
    assert (await arm.registry.fleet()).cooldowns == {"other": Cooldown(7, 8)}


async def a_pass_is_claimed_once_in_each_interval(arm: Arm) -> None:
    told = []
    for wall_ns in (100, 100, 129, 130, 159, 160, 500):
        arm.show(wall_ns)
        told.append(await arm.registry.claim_pass("health", 30))

    assert told == [True, False, False, True, False, True, True]


async def passes_of_other_names_are_claimed_apart(arm: Arm) -> None:
    arm.show(100)

    assert [await arm.registry.claim_pass(name, 30) for name in ("health", "reconcile", "health")] == [
        True,
        True,
        False,
    ]


async def of_simultaneous_claims_one_comes_first(arm: Arm) -> None:
    arm.show(100)

    told = await all_of(arm.runtime, [arm.registry.claim_pass("health", 30) for _ in range(8)])

    assert sorted(told) == [False] * 7 + [True]


# Loads.


async def a_load_is_started_once_and_read_by_everybody(arm: Arm) -> None:
    arm.show(5)

    job = await arm.registry.start_load(MODEL)

    assert job is not None
    assert job == LoadJob(job.id, MODEL, LoadState.PENDING, 5)
    assert await arm.registry.start_load(MODEL) is None
    assert await arm.registry.load_job(MODEL) == job
    assert await arm.registry.load_job("other") is None


async def a_load_tells_how_far_it_has_come(arm: Arm) -> None:
    arm.show(5)
    job = await arm.registry.start_load(MODEL)
    assert job is not None
    arm.show(6)

    beaten = await arm.registry.beat_load(job.id, LoadState.LOADING)
    loading = await arm.registry.load_job(MODEL)
    await arm.registry.beat_load(job.id, LoadState.FAILED, "no room")

    assert beaten is True
    assert loading == LoadJob(job.id, MODEL, LoadState.LOADING, 6)
    assert await arm.registry.load_job(MODEL) == LoadJob(job.id, MODEL, LoadState.FAILED, 6, "no room")


async def a_load_that_has_ended_leaves_room_for_another(arm: Arm) -> None:
    first = await arm.registry.start_load(MODEL)
    other = await arm.registry.start_load("other")
    assert first is not None

    await arm.registry.end_load(first.id)
    await arm.registry.end_load(first.id)

    assert await arm.registry.load_job(MODEL) is None
    assert await arm.registry.load_job("other") == other
    second = await arm.registry.start_load(MODEL)
    assert second is not None
    assert second.id != first.id


async def a_load_that_has_gone_is_not_beaten(arm: Arm) -> None:
    first = await arm.registry.start_load(MODEL)
    assert first is not None
    await arm.registry.end_load(first.id)
    second = await arm.registry.start_load(MODEL)

    assert await arm.registry.beat_load(first.id, LoadState.LOADING) is False

    assert await arm.registry.load_job(MODEL) == second


async def of_simultaneous_starts_one_succeeds(arm: Arm) -> None:
    jobs = await all_of(arm.runtime, [arm.registry.start_load(MODEL) for _ in range(8)])

    assert [job for job in jobs if job is not None] == [await arm.registry.load_job(MODEL)]


async def loads_and_rows_of_the_registry_do_not_meet(arm: Arm) -> None:
    await arm.registry.start_load(MODEL)

    assert await arm.registry.pick(MODEL, BEST) is None
    assert (await arm.registry.fleet()).loadable == {}
    assert await arm.registry.increment(ReplicaKey("n0", MODEL, 0)) is False


CASES: list[Story] = [
    a_fleet_shows_its_nodes_by_name,
    a_fleet_shows_rows_in_every_state_by_id,
    a_model_that_was_published_stays_loadable,
    a_node_that_registers_again_is_healthy_and_empty,
    a_heartbeat_is_dated_and_changes_no_status,
    reported_vram_takes_the_place_of_what_was_reserved,
    reported_vram_decides_between_replicas_that_are_alike,
    a_node_that_goes_offline_or_drains_loses_its_rows,
    vram_is_reserved_up_to_what_is_available,
    vram_is_released_down_to_0,
    simultaneous_reservations_never_promise_the_same_vram_twice,
    a_row_is_removed_by_its_id_once,
    a_new_row_of_the_key_is_not_removed_by_the_old_id,
    an_idle_row_is_removed_if_it_was_not_used_later,
    a_busy_row_is_not_removed_as_idle,
    a_confirmed_row_is_updated_but_not_used,
    a_count_is_cleared_and_nothing_else,
    an_eviction_deletes_what_is_chosen_from_the_whole_fleet,
    an_eviction_that_chooses_nothing_deletes_nothing,
    simultaneous_evictions_each_delete_another_row,
    a_model_of_which_nobody_has_set_a_revision_has_none,
    a_new_revision_turns_what_serves_or_is_about_to_into_unloading,
    a_new_revision_overtakes_the_rows_of_the_one_before,
    with_a_new_revision_it_is_forgotten_how_to_load_the_model,
    advancing_to_the_current_revision_changes_nothing,
    what_was_loaded_for_a_stale_revision_is_not_published,
    of_what_is_published_while_the_revision_advances_nothing_stale_is_left_loaded,
    where_there_is_no_revision_none_is_published,
    only_rows_of_the_current_revision_are_picked_and_counted,
    an_idle_row_of_another_revision_is_not_picked_however_it_is_asked_for,
    a_cooldown_stands_until_it_is_cleared,
    a_pass_is_claimed_once_in_each_interval,
    passes_of_other_names_are_claimed_apart,
    of_simultaneous_claims_one_comes_first,
    a_load_is_started_once_and_read_by_everybody,
    a_load_tells_how_far_it_has_come,
    a_load_that_has_ended_leaves_room_for_another,
    a_load_that_has_gone_is_not_beaten,
    of_simultaneous_starts_one_succeeds,
    loads_and_rows_of_the_registry_do_not_meet,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_keeps_its_promises_to_the_loops(case: Story, tell: Tell) -> None:
    tell(case)
