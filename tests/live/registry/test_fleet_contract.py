"""What every registry promises to placement and to the background loops of nodes and of what the loops share."""

import pytest

from sim.routing.fleet import NO_COOLDOWN, Cooldown, Node, NodeFacts, NodeReport, NodeStatus, ReplicaRow, RowState
from sim.routing.replica import ReplicaKey
from tests.choices import BEST, Prefer
from tests.drivers import all_of
from tests.live.conftest import Tell
from tests.live.registry.registry_arms import GB, MODEL, Arm, Story, node, put, row, rows

# The fleet as it is read.


async def a_fleet_shows_its_nodes_by_name(arm: Arm) -> None:
    arm.show(7)
    facts = NodeFacts("n1", "n1:50051", 3, 16 * GB, 500 * GB, {"gpu": "h100", "zone": "a"}, {MODEL: 2.5})

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
        capacities={MODEL: 2.5},
    )


async def a_row_shows_the_capacity_that_its_node_has_announced_for_its_model(arm: Arm) -> None:
    await arm.registry.register_node(NodeFacts("n1", capacities={MODEL: 2.5, "other": 7.0}))
    for model in (MODEL, "third"):
        await put(arm, "n0", model=model)
        await put(arm, "n1", model=model)

    picked = await arm.registry.pick(MODEL, Prefer(ReplicaKey("n1", MODEL, 0)))
    listed = [*await arm.registry.exchange(MODEL, {}), *await arm.registry.exchange("third", {})]

    assert picked is not None
    assert picked.capacity == 2.5
    assert {(row.key.node, row.key.model): row.capacity for row in listed} == {
        ("n0", MODEL): 1.0,
        ("n1", MODEL): 2.5,
        ("n0", "third"): 1.0,
        ("n1", "third"): 1.0,
    }


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


CASES: list[Story] = [
    a_fleet_shows_its_nodes_by_name,
    a_row_shows_the_capacity_that_its_node_has_announced_for_its_model,
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
    a_cooldown_stands_until_it_is_cleared,
    a_pass_is_claimed_once_in_each_interval,
    passes_of_other_names_are_claimed_apart,
    of_simultaneous_claims_one_comes_first,
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.__name__)
def test_every_registry_keeps_its_promises_to_the_loops(case: Story, tell: Tell) -> None:
    tell(case)
