"""How a dead process costs its model every replica, at the fix and since: the same steps under other locks."""

import pytest

from sim.routing.errors import Unavailable
from tests.drivers import SECOND
from tests.routing.versions.steps import LOOK, SHARED, coarsely_checked, finely_checked, under, unloading
from tests.routing.versions.story import StoryWorld

ROUTED = ["pick", "touch"]

REFUSED = {
    "fixed": [*LOOK * 3, *ROUTED, *LOOK, *coarsely_checked("FAILED", *unloading("a"))],
    "head": [*under(SHARED, "locked", *ROUTED, "unlocked"), *finely_checked("FAILED", *unloading("a"))],
}


@pytest.mark.parametrize("version", REFUSED)
def test_a_check_that_is_refused_unloads_the_model_on_every_node_and_the_request_goes_on_unguarded(
    version: str,
) -> None:
    world = StoryWorld(version, "ab")

    async def story() -> None:
        for number in range(2):
            world.send(number)
            await world.runtime.sleep(SECOND)
        world.kill("a")
        world.send(2)

    world.play(story)

    assert world.steps(2) == [*REFUSED[version], "increment", "predict a#0", "FAILED Unavailable"]
    assert world.in_flight() == {}


@pytest.mark.parametrize(
    ("version", "decrement", "lock"),
    # At head the route of the second request has given the reservation of the first one back.
    [("fixed", "decrement 2", "frontend"), ("head", "decrement 1", "m, alone")],
)
def test_a_call_whose_connection_breaks_waits_for_the_newest_client_to_be_idle_and_unloads_the_model(
    version: str, decrement: str, lock: str
) -> None:
    world = StoryWorld(version, "ab")
    world.processes["a"].predict_ns = world.processes["b"].predict_ns = 10 * SECOND

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(SECOND)
        world.send(1)
        world.processes["a"].predict_error = Unavailable("connection reset")

    world.play(story)

    unload = under(lock, "locked", *unloading("b"), "unlocked")
    assert world.steps(0)[-len(unload) - 2 :] == [decrement, *unload, "FAILED Unavailable"]
    assert world.lines.index("1: COMPLETED") < world.lines.index(f"0: free b#0 [{lock}]")
