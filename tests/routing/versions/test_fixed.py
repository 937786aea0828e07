"""What a request does at the commit of the fix, 2026-05-24: `fixed`."""

from tests.drivers import MS, SECOND
from tests.routing.versions.steps import LOOK, SERVED, coarsely_checked, under, unloading
from tests.routing.versions.story import StoryWorld

CHECKED = coarsely_checked()
ROUTED = [*LOOK, *LOOK, *LOOK, "pick", "health a#0", "touch", *LOOK]


def test_a_request_is_probed_without_a_lock_and_its_client_is_checked_under_the_frontends_one_lock() -> None:
    world = StoryWorld("fixed")

    async def story() -> None:
        world.send(0)

    world.play(story)

    assert world.steps(0) == [*ROUTED, *CHECKED, *SERVED]


def test_requests_of_a_burst_store_their_clients_while_the_first_is_checked_and_then_share_one_answer() -> None:
    world = StoryWorld("fixed")
    world.processes["a"].health_ns = SECOND

    async def story() -> None:
        for number in range(4):
            world.send(number)

    world.play(story)

    assert [world.steps(number).count("health a#0") for number in range(4)] == [1, 0, 0, 0], "the probe is shared"
    # The first asks its own client, the second the newest one, and that spares the others.
    assert [world.steps(number).count("health a#0 [frontend]") for number in range(4)] == [1, 1, 0, 0]
    assert [world.steps(number)[-4:] for number in range(4)] == [SERVED] * 4


def test_while_a_busy_process_does_not_answer_its_check_every_other_request_waits_before_its_first_step() -> None:
    world = StoryWorld("fixed")

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(SECOND)
        world.processes["a"].health_ns = 60 * SECOND
        world.send(1)
        await world.runtime.sleep(9 * SECOND)
        world.send(2)
        assert (world.steps(1)[-1], world.steps(2)) == ("health a#0 [frontend]", [])
        await world.runtime.sleep(2 * SECOND)
        # 10 s are over: the first goes on, and the other asks its own client for another 10 s.
        assert (world.steps(1)[-1], world.steps(2)[-1]) == ("COMPLETED", "health a#0 [frontend]")

    world.play(story)

    unanswered = under("frontend", "locked", "health a#0", "checked: TIMEOUT", "unlocked")
    assert [world.steps(number)[-8:] for number in (1, 2)] == [[*unanswered, *SERVED]] * 2


def test_a_client_that_leaves_cancels_nothing_before_its_call_and_its_1_stays_for_good() -> None:
    world = StoryWorld("fixed")
    world.processes["a"].health_ns = SECOND

    async def story() -> None:
        client = world.send(0)
        await world.runtime.sleep(500 * MS)
        client.cancel()
        await world.runtime.sleep(60 * SECOND)
        assert world.in_flight() == {"a#0": 1}
        world.send(1)

    world.play(story)

    assert world.steps(0) == [*ROUTED, *CHECKED], "and no call"
    assert world.in_flight() == {"a#0": 1}


def test_a_client_that_leaves_during_its_call_gives_everything_back() -> None:
    world = StoryWorld("fixed")
    world.processes["a"].predict_ns = 10 * SECOND

    async def story() -> None:
        client = world.send(0)
        await world.runtime.sleep(5 * SECOND)
        client.cancel()

    world.play(story)

    assert world.steps(0)[-3:] == ["increment", "predict a#0", "give_back 2"]
    assert world.in_flight() == {"a#0": 0}


def test_a_route_that_fails_unloads_the_model_if_the_frontend_has_a_client_of_it() -> None:
    world = StoryWorld("fixed", "ab")

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(SECOND)
        world.failing = {"pick", "lock"}
        world.send(1)

    world.play(story)

    failed = under("frontend", "locked", *unloading("a"), "unlocked")
    assert world.steps(1) == [*LOOK * 3, "pick", "lock", *failed, "FAILED CallError"]


def test_a_registry_that_fails_a_write_lets_the_request_be_served_uncounted() -> None:
    world = StoryWorld("fixed")
    world.failing = {"touch", "increment"}

    async def story() -> None:
        world.send(0)

    world.play(story)

    assert world.steps(0) == [*ROUTED, *CHECKED, "increment", "predict a#0", "COMPLETED"]
    assert world.in_flight() == {"a#0": 1}, "the reservation stays"
