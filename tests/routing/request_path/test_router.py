"""The way of a request through the one Router that both worlds share."""

from typing import Any

import pytest

from sim.routing.client_cache.liveness import RECENTLY_HEALTHY_NS
from sim.routing.errors import DeadlineExceeded, ModelNotLoaded, Unavailable, WrongModel
from sim.routing.ports import Runtime
from sim.routing.replica import ReplicaKey
from sim.routing.request_path.route import Destination, Route
from tests.counting import counted
from tests.drivers import MS, Driver, SimulatedDriver, all_of
from tests.twins import MODEL, MemoryWorld, request

ONE_SLOT_EACH = {"dgx-spark1": 1, "nvidia-thor1": 1}


def test_a_second_concurrent_request_goes_to_the_other_node(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, ONE_SLOT_EACH)
        for node in ONE_SLOT_EACH:
            world.bring_up(node).predict_ns = 20 * MS
        frontend = world.frontend()
        await all_of(runtime, [frontend.serve(request(n)) for n in range(2)])
        return world.journal.of("routed", "ended")

    assert driver.run(story) == [
        ("routed", 0, "dgx-spark1#0"),
        ("routed", 1, "nvidia-thor1#0"),
        ("ended", 0, "COMPLETED", ""),
        ("ended", 1, "COMPLETED", ""),
    ]


def test_a_sticky_frontend_sends_everything_to_the_first_node(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, ONE_SLOT_EACH, router={"client_cache": "sticky"})
        world.bring_up("dgx-spark1").predict_ns = 10 * MS
        frontend = world.frontend()
        await frontend.serve(request(0))
        world.bring_up("nvidia-thor1").predict_ns = 10 * MS
        await all_of(runtime, [frontend.serve(request(n)) for n in range(1, 4)])
        return world.journal.of("routed")

    assert [entry[2] for entry in driver.run(story)] == ["dgx-spark1#0"] * 4


@pytest.mark.parametrize(("age_ns", "asked"), [(RECENTLY_HEALTHY_NS - 1, 0), (RECENTLY_HEALTHY_NS, 1)])
def test_a_kept_route_is_used_unasked_only_while_its_last_success_is_younger_than_30_s(age_ns: int, asked: int) -> None:
    async def story(runtime: Runtime) -> int:
        world = MemoryWorld(runtime, {"a": 1}, router={"client_cache": "sticky", "liveness": "coarse_lock"})
        world.bring_up("a")
        frontend = world.frontend()
        await frontend.serve(request(0))
        await runtime.sleep(age_ns)
        probes = len(world.journal.of("checked"))
        await frontend.serve(request(1))
        return len(world.journal.of("checked")) - probes

    assert SimulatedDriver().run(story) == asked


def test_one_request_counts_0_1_2_1_0(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[int]:
        world = MemoryWorld(runtime, {"a": 1})
        world.bring_up("a")
        await world.frontend().serve(request(0))
        await runtime.sleep(MS)
        return world.registry.counts

    assert driver.run(story) == [1, 2, 1, 0]


def test_a_sticky_clients_later_calls_count_once(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[int]:
        world = MemoryWorld(runtime, {"a": 1}, router={"client_cache": "sticky"})
        world.bring_up("a")
        frontend = world.frontend()
        for number in range(2):
            await frontend.serve(request(number))
            await runtime.sleep(MS)
        return world.registry.counts

    assert driver.run(story) == [1, 2, 1, 0, 1, 0]


@pytest.mark.parametrize(
    ("stored", "releases", "left"),
    [(1, 1, 0), (1, 3, 0), (2, 1, 1), (0, 1, 0)],
    ids=["released once", "released again", "one more runs", "the floor holds"],
)
def test_a_reservation_takes_one_back_once(driver: Driver, stored: int, releases: int, left: int) -> None:
    async def story(runtime: Runtime) -> int:
        world, key = MemoryWorld(runtime, {"a": 1}), ReplicaKey("a", MODEL, 0)
        world.registry.put(key, "a#0:1", in_flight=stored)
        route = Route(counted(world.ports()), Destination(key, "a#0:1", world.dial(key, "a#0:1")))
        for _ in range(releases):
            route.release()
        return world.registry.rows[key].in_flight

    assert driver.run(story) == left


def test_a_call_whose_row_is_gone_at_its_start_takes_nothing_back(driver: Driver) -> None:
    async def story(runtime: Runtime) -> int:
        world = MemoryWorld(runtime, {"a": 1}, router={"client_cache": "sticky"})
        world.bring_up("a")
        frontend, key = world.frontend(), ReplicaKey("a", MODEL, 0)
        await frontend.serve(request(0))
        await world.registry.remove(key)
        world.backends["a#0:1"].predict_ns = 10 * MS
        calling = runtime.spawn(frontend.serve(request(1)), "call")
        await runtime.sleep(2 * MS)
        world.registry.put(key, "a#0:1", in_flight=5)
        while not calling.done():
            await runtime.sleep(MS)
        await runtime.sleep(MS)
        return world.registry.rows[key].in_flight

    assert driver.run(story) == 5


def test_a_reservation_whose_call_finds_no_row_is_left_behind_until_a_later_call_gives_it_back(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[tuple[Any, ...]]:
        world, key = MemoryWorld(runtime, {"a": 1}), ReplicaKey("a", MODEL, 0)
        world.bring_up("a")
        route = Route(counted(world.ports()), Destination(key, "a#0:1", world.dial(key, "a#0:1")))
        await world.registry.remove(key)
        for number in range(2):
            await route.predict(request(number))
        world.registry.put(key, "a#0:1")
        for number in range(2, 4):
            await route.predict(request(number))
        return world.journal.of("left_behind")

    assert driver.run(story) == [("left_behind", "a#0", 1), ("left_behind", "a#0", -1)]


def test_a_probe_over_its_limit_costs_a_busy_replica_its_row_and_a_reload(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 1}, timeout_ns=10 * MS)
        world.bring_up("a").health_ns = 500 * MS
        await world.frontend().serve(request(0))
        return world.journal.of(
            "picked", "probed", "row_removed", "install_started", "load_ended", "row_published", "ended"
        )

    assert driver.run(story) == [
        ("picked", 0, "a#0", 0),
        ("probed", "a#0", "TIMEOUT"),
        ("row_removed", "a#0", "probe_failed"),
        ("install_started", "a#0", True),
        ("load_ended", "a#0", ""),
        ("row_published", "a#0", "cold_load"),
        ("ended", 0, "COMPLETED", ""),
    ]


def test_when_busy_is_not_dead_the_row_stays(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 1}, timeout_ns=10 * MS, on_timeout="keep_row")
        world.bring_up("a").health_ns = 500 * MS
        await world.frontend().serve(request(0))
        return world.journal.of("probed", "vouched", "row_removed", "ended")

    assert driver.run(story) == [
        ("probed", "a#0", "TIMEOUT"),
        ("vouched", 0, True, "PROBED"),
        ("ended", 0, "COMPLETED", ""),
    ]


def test_a_refused_probe_is_death_under_either_reading(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 1}, on_timeout="keep_row")
        world.bring_up("a").health_error = Unavailable("refused")
        await world.frontend().serve(request(0))
        return world.journal.of("probed", "row_removed")

    assert driver.run(story) == [("probed", "a#0", "FAILED"), ("row_removed", "a#0", "probe_failed")]


def test_eight_first_requests_load_the_model_once(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 1})
        frontends = [world.frontend() for _ in range(2)]
        await all_of(runtime, [frontends[n % 2].serve(request(n)) for n in range(8)])
        assert len(world.journal.of("ended")) == 8
        return world.journal.of("install_started", "row_published")

    assert driver.run(story) == [("install_started", "a#0", False), ("row_published", "a#0", "cold_load")]


def test_without_a_free_slot_or_a_row_to_evict_the_request_fails_by_name() -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 0})
        await world.frontend().serve(request(0))
        return world.journal.of("ended")

    assert SimulatedDriver().run(story) == [("ended", 0, "FAILED", "NoReplica")]


@pytest.mark.parametrize("error", [ModelNotLoaded("empty"), WrongModel("another"), DeadlineExceeded("late")])
def test_only_a_process_without_the_model_loses_its_row_to_a_failed_call(driver: Driver, error: Exception) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 1})
        world.bring_up("a").predict_error = error  # type: ignore[assignment]
        await world.frontend().serve(request(0))
        return world.journal.of("row_removed", "ended")

    name = type(error).__name__
    removed = [] if name == "DeadlineExceeded" else [("row_removed", "a#0", name)]
    assert driver.run(story) == [*removed, ("ended", 0, "FAILED", name)]


@pytest.mark.parametrize(
    ("sharing", "removed"), [("leader_owned", 1), ("detached", 0)], ids=["leader-owned", "detached"]
)
def test_a_leader_that_leaves_costs_its_followers_the_row_unless_the_flight_is_detached(
    driver: Driver, sharing: str, removed: int
) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 1}, sharing=sharing, timeout_ns=500 * MS)
        world.bring_up("a").health_ns = 40 * MS
        frontend = world.frontend()
        leader = runtime.spawn(frontend.serve(request(0)), "leader")
        await runtime.sleep(MS)
        follower = runtime.spawn(frontend.serve(request(1)), "follower")
        await runtime.sleep(10 * MS)
        leader.cancel()
        while not follower.done():
            await runtime.sleep(MS)
        await runtime.sleep(MS)
        assert all(row.in_flight == 0 for row in world.registry.rows.values())
        return world.journal.of("row_removed")

    assert len(driver.run(story)) == removed


@pytest.mark.parametrize("leaves_after_ms", [0, 5, 30], ids=["at once", "during the probe", "during the call"])
def test_wherever_a_client_leaves_its_counts_go_with_it(driver: Driver, leaves_after_ms: int) -> None:
    async def story(runtime: Runtime) -> list[int]:
        world = MemoryWorld(runtime, {"a": 1}, timeout_ns=500 * MS)
        backend = world.bring_up("a")
        backend.health_ns, backend.predict_ns = 20 * MS, 500 * MS
        client = runtime.spawn(world.frontend().serve(request(0)), "client")
        await runtime.sleep(leaves_after_ms * MS)
        client.cancel()
        await runtime.sleep(5 * MS)
        return [row.in_flight for row in world.registry.rows.values()]

    assert driver.run(story) == [0]
