"""How long the state pass waits for the replica pass before it."""

import pytest

from sim.routing.ports import Runtime
from sim.routing.settings import StatePassName
from sim.routing.strategies import RECONCILING
from tests.drivers import MS, Driver

LIMIT_MS = 30

Began = list[tuple[str, int]]


def passes(driver: Driver, strategy: StatePassName, loading_ms: int) -> Began:
    """Return which passes began when, in limits, if three ticks run and the first replica pass takes so long."""

    async def story(runtime: Runtime) -> Began:
        began: Began = []
        pauses_ns = [loading_ms * MS]

        def note(name: str) -> None:
            began.append((name, round(runtime.now_ns() / (LIMIT_MS * MS))))

        async def replica_pass() -> None:
            note("replicas")
            await runtime.sleep(pauses_ns.pop() if pauses_ns else 0)

        async def state_pass() -> None:
            note("rows")

        run_pass = RECONCILING[strategy](runtime, LIMIT_MS * MS, replica_pass, state_pass)
        for _ in range(3):
            await run_pass()
        return began

    began: Began = driver.run(story)
    return began


@pytest.mark.parametrize("strategy", RECONCILING)
def test_the_replicas_come_first_and_then_the_rows(driver: Driver, strategy: StatePassName) -> None:
    assert [name for name, _ in passes(driver, strategy, loading_ms=0)] == ["replicas", "rows"] * 3


def test_as_localai_reconciles_rows_wait_for_the_end_of_a_load(driver: Driver) -> None:
    began = passes(driver, "after_loads", loading_ms=5 * LIMIT_MS)

    assert began[:2] == [("replicas", 0), ("rows", 5)]


def test_repaired_rows_wait_for_a_load_up_to_the_limit_each_time_and_no_second_load_begins_beside_it(
    driver: Driver,
) -> None:
    began = passes(driver, "in_time", loading_ms=5 * LIMIT_MS)

    assert began == [("replicas", 0), ("rows", 1), ("rows", 2), ("rows", 3)]


def test_repaired_a_load_that_ends_in_time_is_followed_by_the_rows_at_once(driver: Driver) -> None:
    began = passes(driver, "in_time", loading_ms=LIMIT_MS // 3)

    assert [name for name, _ in began] == ["replicas", "rows"] * 3
    assert began[1] == ("rows", 0)
