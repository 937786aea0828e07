"""What a request does with our repairs: `hardened`."""

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

    assert world.steps(0) == ["pick", "health a#0", "give_back 1"]
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

    assert world.steps(0) == ["pick", "health a#0", "touch", "increment", "predict a#0", "give_back 1", "COMPLETED"]
    assert world.in_flight() == {"a#0": 0}
