"""What makes a frontend forget that a replica has answered, and what does not."""

from typing import Any

import pytest

from sim.routing.errors import CallError, DeadlineExceeded, Unavailable
from sim.routing.ports import Runtime
from sim.routing.replica import ReplicaKey
from sim.routing.request_path.probe_cache import ProbeCache
from tests.drivers import MS, SECOND, Driver, all_of
from tests.routing.conftest import Flights
from tests.twins import MODEL, MemoryWorld, request


@pytest.mark.parametrize(
    ("error", "probes"),
    [(Unavailable("refused"), 2), (DeadlineExceeded("late"), 1), (CallError("out of tokens"), 1)],
    ids=["nobody answers", "too late", "a fault of the model's"],
)
def test_only_a_call_that_reaches_nobody_makes_the_next_request_probe_again(
    driver: Driver, error: CallError, probes: int
) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 1}, refreshed_by="calls")
        world.bring_up("a").predict_error = error
        frontend = world.frontend()
        for number in range(2):
            await frontend.serve(request(number))
        return world.journal.of("probed")

    assert driver.run(story) == [("probed", "a#0", "OK")] * probes


def test_a_probe_that_fails_outweighs_an_answer_that_came_while_it_was_under_way(
    driver: Driver, flights: Flights
) -> None:
    async def story(runtime: Runtime) -> bool:
        cache = ProbeCache(runtime, 60 * SECOND, flights(runtime))
        sent, refused = runtime.future(), runtime.future()

        async def probe() -> bool:
            sent.set_result(None)
            await refused
            return False

        async def answer() -> None:
            await sent
            cache.refresh("a|a:1")
            refused.set_result(None)

        await all_of(runtime, [cache.check("a|a:1", probe), answer()])
        return cache.is_fresh("a|a:1")

    assert driver.run(story) is False


def test_an_answer_vouches_for_its_own_address_only(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 2})
        world.bring_up("a").predict_ns = 20 * MS
        second = ReplicaKey("a", MODEL, 1)
        world.registry.put(second, await world.install(second))
        frontend = world.frontend()
        world.journal.told.clear()
        await all_of(runtime, [frontend.serve(request(number)) for number in range(2)])
        return world.journal.of("probed")

    assert driver.run(story) == [("probed", "a#0", "OK"), ("probed", "a#1", "OK")]


def test_a_replica_that_comes_back_at_another_address_is_reached_there(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world, key = MemoryWorld(runtime, {"a": 1}), ReplicaKey("a", MODEL, 0)
        world.bring_up("a")
        frontend = world.frontend()
        await frontend.serve(request(0))
        row = world.registry.rows[key]
        world.backends["a:2"] = world.backends.pop(row.address)
        row.address = "a:2"
        await frontend.serve(request(1))
        return world.journal.of("ended")

    assert driver.run(story) == [("ended", 0, "COMPLETED", ""), ("ended", 1, "COMPLETED", "")]
