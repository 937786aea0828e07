"""What a route adds to its row, and that it takes back exactly that."""

from dataclasses import replace
from typing import Any

from sim.routing.errors import Unavailable
from sim.routing.fleet import Fleet
from sim.routing.frontend import build_frontend
from sim.routing.ports import Runtime
from sim.routing.replica import ReplicaKey
from sim.routing.settings import ModelConfig
from tests.drivers import MS, Driver
from tests.twins import MODEL, MemoryRegistry, MemoryWorld, request

KEY = ReplicaKey("a", MODEL, 0)


class StuckRegistry(MemoryRegistry):
    """Never ends to count the start of a call."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime, {"a": 1})
        self.asked_to_count = runtime.future()

    async def increment(self, key: ReplicaKey) -> bool:
        self.asked_to_count.set_result(None)
        await self._runtime.future()
        return True


class RelabelledRegistry(MemoryRegistry):
    """Its node has the label when it is first read, and not any more afterwards."""

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime, {"a": 1})
        self._readings = 0

    async def fleet(self) -> Fleet:
        self._readings += 1
        fleet = await super().fleet()
        labels = {"gpu": "gb10"} if self._readings == 1 else {}
        return replace(fleet, nodes=[replace(node, labels=labels) for node in fleet.nodes])


def test_a_later_call_on_a_kept_route_takes_back_one_and_leaves_the_counts_of_others(driver: Driver) -> None:
    async def story(runtime: Runtime) -> int:
        world = MemoryWorld(runtime, {"a": 1}, router={"client_cache": "sticky"})
        world.bring_up("a")
        frontend = world.frontend()
        await frontend.serve(request(0))
        await runtime.sleep(MS)
        world.registry.rows[KEY].in_flight = 5
        await frontend.serve(request(1))
        await runtime.sleep(MS)
        return world.registry.rows[KEY].in_flight

    assert driver.run(story) == 5


def test_a_client_that_leaves_while_its_call_is_being_counted_takes_its_reservation_along(driver: Driver) -> None:
    async def story(runtime: Runtime) -> tuple[list[int], int]:
        world = MemoryWorld(runtime, {"a": 1})
        world.registry = registry = StuckRegistry(runtime)
        world.bring_up("a")
        client = runtime.spawn(world.frontend().serve(request(0)), "client")
        await registry.asked_to_count
        before = list(registry.counts)
        client.cancel()
        while not client.done():
            await runtime.sleep(MS)
        return before, registry.rows[KEY].in_flight

    assert driver.run(story) == ([1], 0)


def test_a_probe_that_fails_gives_the_reservation_back_before_the_row_goes(driver: Driver) -> None:
    async def story(runtime: Runtime) -> tuple[list[int], list[Any]]:
        world = MemoryWorld(runtime, {"a": 1})
        world.bring_up("a").health_error = Unavailable("refused")
        client = runtime.spawn(world.frontend().serve(request(0)), "client")
        while not world.journal.of("row_removed"):
            await runtime.sleep(MS // 10)
        counts = list(world.registry.counts)
        client.cancel()
        return counts, world.journal.of("row_removed")

    assert driver.run(story) == ([1, 0], [("row_removed", "a#0", "probe_failed")])


def test_a_node_that_loses_its_label_after_the_pick_gets_no_request_and_keeps_no_count(driver: Driver) -> None:
    async def story(runtime: Runtime) -> tuple[list[int], list[Any]]:
        world = MemoryWorld(runtime, {"a": 1})
        world.registry = registry = RelabelledRegistry(runtime)
        world.bring_up("a")
        models = {MODEL: ModelConfig(name=MODEL, selector={"gpu": "gb10"})}
        await build_frontend(world.settings, world.ports(), models).serve(request(0))
        return registry.counts, world.journal.of("ended")

    assert driver.run(story) == ([1, 0], [("ended", 0, "FAILED", "NoMatchingNode")])
