"""What a request does with our repairs: `hardened`."""

import pytest

from sim.routing.errors import CallError, NotCommitted, Unavailable
from sim.routing.request_path.decrements import PAUSES_NS
from tests.drivers import MS, SECOND
from tests.routing.versions.steps import SERVED
from tests.routing.versions.story import StoryWorld


def test_a_request_holds_no_lock_and_makes_no_check() -> None:
    world = StoryWorld("hardened")

    async def story() -> None:
        world.send(0)

    world.play(story)

    assert world.steps(0) == ["pick", "health a#0", "touch", *SERVED]


def test_a_client_that_leaves_takes_its_1_along_and_the_shared_probe_goes_on() -> None:
    world = StoryWorld("hardened")
    world.processes["a"].health_ns = SECOND

    async def story() -> None:
        leader = world.send(0)
        world.send(1)
        await world.runtime.sleep(500 * MS)
        leader.cancel()

    world.play(story)

    assert world.steps(0) == ["pick", "health a#0", "decrement 1"]
    assert world.steps(1)[-4:] == SERVED
    assert world.in_flight() == {"a#0": 0}


def test_a_dead_process_costs_its_own_row_only_and_the_next_request_that_is_picked_for_it_is_served_elsewhere() -> None:
    world = StoryWorld("hardened", "ab", control={"loads": "inline"})

    async def story() -> None:
        for number in range(2):
            world.send(number)
            await world.runtime.sleep(SECOND)
        world.kill("a")
        for number in range(2, 5):
            world.send(number)
            await world.runtime.sleep(SECOND)

    world.play(story)

    assert [world.steps(number)[-1] for number in range(2, 5)] == ["FAILED Unavailable", "COMPLETED", "COMPLETED"]
    assert world.in_flight() == {"b#0": 0}


def test_a_registry_that_fails_to_count_a_call_has_it_served_uncounted_and_nothing_stays() -> None:
    world = StoryWorld("hardened")
    world.failing = {"touch", "increment"}

    async def story() -> None:
        world.send(0)

    world.play(story)

    assert world.steps(0) == ["pick", "health a#0", "touch", "increment", "predict a#0", "decrement 1", "COMPLETED"]
    assert world.in_flight() == {"a#0": 0}


def test_a_count_that_the_registry_did_not_take_is_given_back_in_the_background() -> None:
    world = StoryWorld("hardened")
    world.failing, world.failure = {"decrement"}, NotCommitted

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(250 * MS)
        assert (world.steps(0)[-2:], world.in_flight()) == (["COMPLETED", "decrement 1"], {"a#0": 2})
        world.failing = set()

    world.play(story)

    # The first of the two is tried after 100 ms and 200 ms more, the second 100 ms after that.
    assert world.steps(0)[-5:] == ["decrement 2", "COMPLETED", "decrement 1", "decrement 1", "decrement 1"]
    assert world.in_flight() == {"a#0": 0}


def test_a_client_that_leaves_has_its_count_given_back_in_the_background_too() -> None:
    world = StoryWorld("hardened")
    world.processes["a"].predict_ns = 10 * SECOND
    world.failing, world.failure = {"decrement"}, NotCommitted

    async def story() -> None:
        client = world.send(0)
        await world.runtime.sleep(SECOND)
        client.cancel()
        await world.runtime.sleep(SECOND)
        world.failing = set()

    world.play(story)

    assert world.in_flight() == {"a#0": 0}


def test_a_registry_that_never_answers_is_tried_ten_times_for_each_count() -> None:
    world = StoryWorld("hardened")
    world.failing, world.failure = {"decrement"}, NotCommitted

    async def story() -> None:
        world.send(0)

    world.play(story)

    assert world.steps(0).count("decrement 1") == 2 * len(PAUSES_NS) == 20
    assert world.runtime.now_ns() == 2 * sum(PAUSES_NS)


@pytest.mark.parametrize("failure", [CallError, Unavailable])
def test_a_count_that_the_registry_may_have_taken_is_not_taken_twice(failure: type[CallError]) -> None:
    world = StoryWorld("hardened")
    world.failing, world.failure = {"decrement"}, failure

    async def story() -> None:
        world.send(0)

    world.play(story)

    assert world.steps(0)[-2:] == ["decrement 2", "COMPLETED"]
