"""A client that is kept for good: how long it is trusted, and when it is dropped."""

from typing import Any

import pytest

from sim.routing.errors import Unavailable, Unwell
from sim.routing.ports import Runtime
from tests.drivers import SECOND, SimulatedDriver
from tests.twins import MemoryWorld, request

TRUSTED_NS = 30 * SECOND


def story_of_a_second_request(after_ns: int, health_error: Unavailable | None) -> list[Any]:
    """Return what is told of a request that comes so long after the one for which the client was made."""

    async def story(runtime: Runtime) -> list[Any]:
        world = MemoryWorld(runtime, {"a": 1, "b": 1}, router={"client_cache": "sticky", "liveness": "coarse_lock"})
        kept = world.bring_up("a")
        frontend = world.frontend()
        await frontend.serve(request(0))
        world.bring_up("b")
        kept.health_error = health_error
        world.journal.told.clear()
        await runtime.sleep(after_ns)
        await frontend.serve(request(1))
        return world.journal.of("checked", "routed")

    told: list[Any] = SimulatedDriver().run(story)
    return told


def test_a_kept_client_is_dropped_when_its_process_refuses_a_health_call() -> None:
    told = story_of_a_second_request(TRUSTED_NS, Unavailable("refused"))

    assert told[0] == ("checked", 1, "a#0", "FAILED")
    assert told[-1] == ("routed", 1, "b#0")


def test_a_kept_client_whose_process_answers_that_it_is_not_well_is_used_again() -> None:
    told = story_of_a_second_request(TRUSTED_NS, Unwell("not OK"))

    assert told == [("checked", 1, "a#0", "FAILED"), ("routed", 1, "a#0")]


def test_a_kept_client_whose_process_answers_is_used_again() -> None:
    told = story_of_a_second_request(TRUSTED_NS, None)

    assert told == [("checked", 1, "a#0", "OK"), ("routed", 1, "a#0")]


@pytest.mark.parametrize(
    ("after_ns", "probes"),
    [(TRUSTED_NS - 1, 0), (TRUSTED_NS, 1)],
    ids=["just under 30 s", "at 30 s"],
)
def test_a_kept_client_is_trusted_for_less_than_30_s(after_ns: int, probes: int) -> None:
    told = story_of_a_second_request(after_ns, None)

    assert [entry[0] for entry in told].count("checked") == probes
