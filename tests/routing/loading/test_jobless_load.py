"""Requests that load on their own because no job can be claimed."""

from typing import Any

import pytest

from sim.routing.errors import Unavailable
from sim.routing.fleet import LoadJob, LoadState
from sim.routing.frontend import FrontendCore
from sim.routing.ports import Task
from sim.routing.proxy import MadeCall
from tests.drivers import SECOND
from tests.routing.fleet_world import MODEL, FleetWorld
from tests.routing.loading.cold_loads import (
    COMPLETED,
    MINUTE,
    ends,
    failing_once,
    frontend,
    job,
    ports_around,
    ports_without,
    send,
    visit,
    world_of,
)


@pytest.mark.parametrize("call", ["lock", "load_job", "start_load"])
def test_where_no_job_can_be_claimed_the_request_loads_on_its_own(call: str) -> None:
    world = world_of("a")
    only = frontend(world, ports_without(world, call))

    async def story() -> None:
        send(world, only)
        await world.runtime.sleep(10 * SECOND)
        assert job(world) is None

    world.run(story())

    assert ends(world) == [(20.0, *COMPLETED)]
    assert [row.in_flight for row in world.rows()] == [0]


def test_an_orphan_that_cannot_be_deleted_leads_to_a_load_of_ones_own() -> None:
    world = world_of("a")
    only = frontend(world, ports_without(world, "end_load"))
    orphan = LoadJob("of a dead frontend", MODEL, LoadState.LOADING, heartbeat_ns=-2 * MINUTE)
    world.database.jobs[MODEL] = orphan

    async def story() -> None:
        send(world, only)

    world.run(story())

    assert ends(world) == [(20.0, *COMPLETED)]
    assert job(world) == orphan


def test_requests_that_load_on_their_own_load_side_by_side() -> None:
    world = world_of("a", "b", install_s=1)
    only = frontend(world, ports_without(world, "lock"))

    async def story() -> None:
        send(world, only)
        await world.runtime.sleep(2 * SECOND)
        send(world, only)

    world.run(story())

    assert world.times_s("load_started") == [1.0, 3.0]


def test_the_new_row_counts_the_request_that_loaded_on_its_own_from_the_start() -> None:
    world = world_of("a")
    only = frontend(world, ports_without(world, "lock"))
    counts: list[int] = []

    async def story() -> None:
        send(world, only, demand_ns=5 * SECOND)
        for _ in range(2):
            await world.runtime.sleep(22 * SECOND)
            counts.extend(row.in_flight for row in world.rows())

    world.run(story())

    # As after a pick: 1 for the place, 1 for the call.
    assert counts == [2, 0]


def test_a_load_of_ones_own_outlasts_the_wait_for_a_job() -> None:
    world = world_of("a", load_s=90)
    only = frontend(world, ports_without(world, "lock"))

    async def story() -> None:
        send(world, only)

    world.run(story())

    assert ends(world) == [(90.0, *COMPLETED)]


def test_a_load_of_ones_own_goes_on_when_the_request_leaves_and_its_place_is_given_back() -> None:
    world = world_of("a")
    only = frontend(world, ports_without(world, "lock"))

    async def story() -> None:
        await visit(world, only, patience_ns=5 * SECOND)

    world.run(story())

    assert world.times_s("row_published") == [20.0]
    assert [row.in_flight for row in world.rows()] == [0]


def test_a_request_that_leaves_at_the_very_end_of_its_own_load_gives_its_place_back() -> None:
    world = world_of("a")
    clients: list[Task] = []

    async def leave_when_published(name: str, call: MadeCall) -> Any:
        if name == "lock":
            raise Unavailable("no lock")
        answer = await call()
        if name == "publish" and world.runtime.now_ns() == 20 * SECOND:
            # Takes effect later at this instant: when the load has ended, and before the request goes on.
            clients[0].cancel()
        return answer

    only = frontend(world, ports_around(world, leave_when_published))

    async def story() -> None:
        clients.append(world.runtime.spawn(only.serve(world.request()), "client"))

    world.run(story())

    assert world.times_s("row_published") == [20.0]
    assert [row.in_flight for row in world.rows()] == [0]


def test_a_load_of_ones_own_that_fails_does_so_under_its_own_name() -> None:
    world = world_of("a")
    failing_once(world, after_ns=3 * SECOND)
    without_nodes = world_of()
    frontends = [(each, frontend(each, ports_without(each, "lock"))) for each in (world, without_nodes)]

    async def story(world: FleetWorld, only: FrontendCore) -> None:
        send(world, only)

    for each, only in frontends:
        each.run(story(each, only))

    assert ends(world) == [(3.0, "FAILED", "CallError")]
    assert ends(without_nodes) == [(2.5, "FAILED", "NoReplica")]
