"""A frontend that picks from a list of its own, on either runtime."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sim.routing.errors import NotCommitted
from sim.routing.ports import Runtime
from sim.routing.registry import RowChange
from tests.drivers import MS, Driver, all_of
from tests.twins import MODEL, MemoryWorld, request

REFRESH_MS = 50


def a_world(runtime: Runtime, *nodes: str, counts: str = "own_in_flight") -> MemoryWorld:
    listed = {"refresh": f"{REFRESH_MS}ms", "counts": counts}
    world = MemoryWorld(runtime, dict.fromkeys("abc", 1), router={"replica_list": listed})
    for node in nodes:
        world.bring_up(node).predict_ns = 20 * MS
    return world


def served_by(world: MemoryWorld) -> str:
    return "".join(str(key)[0] for _, _, key in world.journal.of("routed"))


def test_requests_between_two_readings_cost_the_registry_nothing(driver: Driver) -> None:
    async def story(runtime: Runtime) -> tuple[int, Counter[str]]:
        world = a_world(runtime, "a", "b")
        frontend = world.frontend()
        await all_of(runtime, [frontend.serve(request(n)) for n in range(8)])
        return len(world.registry.exchanged), Counter(served_by(world))

    assert driver.run(story) == (1, {"a": 4, "b": 4})


def test_rows_count_running_requests_from_the_next_reading_on_and_forget_them_after_their_end(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Mapping[str, RowChange]]:
        world = a_world(runtime, "a")
        world.backends["a#0:1"].predict_ns = (REFRESH_MS + 10) * MS
        await world.frontend().serve(request(0))
        await runtime.sleep(4 * REFRESH_MS * MS)
        return world.registry.exchanged

    # A pick and the start of its call count 1 each. When nothing is left to write or to read for, the exchanges end.
    assert driver.run(story) == [
        {},
        {"row-000": RowChange(2, is_used=True)},
        {"row-000": RowChange(-2, is_used=False)},
    ]


def test_a_frontend_that_closes_writes_what_rows_have_not_heard_yet(driver: Driver) -> None:
    async def story(runtime: Runtime) -> tuple[list[Mapping[str, RowChange]], list[int]]:
        world = a_world(runtime, "a")
        frontend = world.frontend()
        await frontend.serve(request(0))
        runtime.spawn(frontend.serve(request(1)), "still running")
        await runtime.sleep(10 * MS)
        await frontend.close()
        return list(world.registry.exchanged), [row.in_flight for row in world.registry.rows.values()]

    # Nothing is left of the first request but its use.
    assert driver.run(story) == ([{}, {"row-000": RowChange(2, is_used=True)}], [2])


def test_a_frontend_that_closes_while_another_model_comes_up_writes_all_the_same(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = a_world(runtime, "a")
        frontend = world.frontend()
        await frontend.serve(request(0))
        of_another_model = replace(request(1), model="other")
        return await all_of(runtime, [frontend.close(), frontend.serve(of_another_model)])

    assert driver.run(story) == [None, None]


def test_a_frontend_that_closes_without_anything_to_write_asks_for_nothing(driver: Driver) -> None:
    async def story(runtime: Runtime) -> int:
        world = a_world(runtime, "a")
        await world.frontend().close()
        return len(world.registry.exchanged)

    assert driver.run(story) == 0


def test_a_new_replica_is_seen_at_the_next_reading(driver: Driver) -> None:
    async def story(runtime: Runtime) -> str:
        world = a_world(runtime, "a", counts="rotate")
        frontend = world.frontend()
        await frontend.serve(request(0))
        world.bring_up("b").predict_ns = 20 * MS
        await frontend.serve(request(1))
        await runtime.sleep(REFRESH_MS * MS)
        await frontend.serve(request(2))
        await frontend.serve(request(3))
        return served_by(world)

    before, after = (lambda served: (served[:2], set(served[2:])))(driver.run(story))
    assert before == "aa"
    assert after == {"a", "b"}


def test_a_dead_replica_leaves_the_list_at_once(driver: Driver) -> None:
    async def story(runtime: Runtime) -> tuple[str, list[str], int]:
        world = a_world(runtime, "a", "b", counts="snapshot")
        del world.backends["a#0:1"]
        frontend = world.frontend()
        for number in range(2):
            await frontend.serve(request(number))
        return served_by(world), [str(key) for key in world.registry.rows], len(world.registry.exchanged)

    # The first request finds it dead and takes the other one; the second does not try it. Neither reads the list anew.
    assert driver.run(story) == ("bb", ["b#0"], 1)


def test_a_reading_that_fails_leaves_the_old_list_in_use(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[Any]:
        world = a_world(runtime, "a")
        frontend = world.frontend()
        await frontend.serve(request(0))
        world.registry.exchange_error = NotCommitted("away")
        await runtime.sleep(2 * REFRESH_MS * MS)
        await frontend.serve(request(1))
        world.registry.exchange_error = None
        await runtime.sleep(4 * REFRESH_MS * MS)
        return [*world.journal.of("ended"), {key.model: row.in_flight for key, row in world.registry.rows.items()}]

    assert driver.run(story) == [("ended", 0, "COMPLETED", ""), ("ended", 1, "COMPLETED", ""), {MODEL: 0}]


def test_requests_that_find_no_replica_read_anew_until_one_is_loaded(driver: Driver) -> None:
    async def story(runtime: Runtime) -> tuple[int, int]:
        world = a_world(runtime)
        frontend = world.frontend()
        await all_of(runtime, [frontend.serve(request(n)) for n in range(3)])
        return len(world.journal.of("install_started")), len(world.journal.of("ended"))

    installs, ended = driver.run(story)
    assert ended == 3
    assert installs == 1
