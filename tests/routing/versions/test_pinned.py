"""What a request does before the fix, 2026-05-24: `pinned`."""

from sim.routing.errors import Unavailable
from tests.drivers import MS, SECOND
from tests.routing.versions.steps import LOOK, SERVED, under, unloading
from tests.routing.versions.story import StoryWorld

CHECKED = under("frontend", "locked", "health a#0", "checked: OK", "unlocked")
FIRST = [*LOOK, *LOOK, "pick", "health a#0", "touch", *LOOK, *CHECKED]


def test_the_first_request_is_routed_and_its_client_checked_and_all_later_ones_use_it_as_it_is() -> None:
    world = StoryWorld("pinned", "ab")

    async def story() -> None:
        for number in range(2):
            world.send(number)
            await world.runtime.sleep(SECOND)

    world.play(story)

    assert world.steps(0) == [*FIRST, *SERVED]
    assert world.steps(1) == [*LOOK, "increment", "predict a#0", "decrement 1", "COMPLETED"]


def test_of_a_burst_of_first_requests_one_is_routed_and_the_others_wait_for_its_client() -> None:
    world = StoryWorld("pinned")

    async def story() -> None:
        for number in range(3):
            world.send(number)

    world.play(story)

    assert [world.steps(number).count("pick") for number in range(3)] == [1, 0, 0]
    assert [world.steps(number)[-1] for number in range(3)] == ["COMPLETED"] * 3
    assert world.in_flight() == {"a#0": 0}


def test_a_kept_client_is_asked_again_when_its_last_answer_is_30_s_old_and_kept_if_it_does_not_answer() -> None:
    world = StoryWorld("pinned")

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(30 * SECOND)
        world.processes["a"].health_ns = 60 * SECOND
        world.send(1)

    world.play(story)

    unanswered = under("frontend", "locked", "health a#0", "checked: TIMEOUT", "unlocked")
    assert world.steps(1) == [*unanswered, "increment", "predict a#0", "decrement 1", "COMPLETED"]


def test_a_client_that_leaves_before_its_call_leaves_its_1_to_the_first_call_of_the_kept_client() -> None:
    world = StoryWorld("pinned")
    world.processes["a"].health_ns = SECOND

    async def story() -> None:
        client = world.send(0)
        await world.runtime.sleep(500 * MS)
        client.cancel()
        await world.runtime.sleep(10 * SECOND)
        assert (world.steps(0), world.in_flight()) == (FIRST, {"a#0": 1})
        world.send(1)

    world.play(story)

    assert world.steps(1) == [*LOOK, *SERVED]
    assert world.in_flight() == {"a#0": 0}


def test_a_check_that_is_refused_unloads_the_model_on_every_node_and_the_request_is_routed_anew() -> None:
    world = StoryWorld("pinned", "ab")

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(30 * SECOND)
        world.kill("a")
        world.send(1)

    world.play(story)

    refused = under("frontend", "locked", "health a#0", "checked: FAILED", *unloading("a"), "unlocked")
    assert world.steps(1)[: len(refused)] == refused
    assert world.steps(1)[len(refused) :][:4] == [*LOOK, "pick", "lock"], "nobody is left, so it loads the model"
    assert world.steps(1)[-1] == "COMPLETED"


def test_a_broken_connection_unloads_the_model_once_however_many_calls_it_ends() -> None:
    world = StoryWorld("pinned", "ab")
    world.processes["a"].predict_ns = 10 * SECOND

    async def story() -> None:
        for number in range(3):
            world.send(number)
        await world.runtime.sleep(SECOND)
        world.processes["a"].predict_error = Unavailable("connection reset")

    world.play(story)

    assert [line for line in world.lines if "free" in line] == ["0: free a#0 [frontend]"]
    assert [world.steps(number)[-1] for number in range(3)] == ["FAILED Unavailable"] * 3
    assert world.in_flight() == {}
