"""What a request does on 2026-08-22: `head`."""

from sim.routing.errors import Unavailable
from tests.drivers import MS, SECOND
from tests.routing.versions.steps import BOTH, SERVED, SHARED, finely_checked, under
from tests.routing.versions.story import StoryWorld

ROUTED = under(SHARED, "locked", "pick", "health a#0", "touch", "unlocked")


def test_a_request_shares_the_models_lock_for_its_route_and_again_for_the_check_of_its_client() -> None:
    world = StoryWorld("head")

    async def story() -> None:
        world.send(0)

    world.play(story)

    assert world.steps(0) == [*ROUTED, *finely_checked(), *SERVED]


def test_requests_of_a_burst_share_their_probe_and_then_one_check_of_the_newest_client() -> None:
    world = StoryWorld("head")
    world.processes["a"].health_ns = SECOND

    async def story() -> None:
        for number in range(4):
            world.send(number)

    world.play(story)

    assert [line for line in world.lines if "health" in line and "client" not in line] == [f"0: health a#0 [{SHARED}]"]
    assert [world.steps(number)[-1] for number in range(4)] == ["COMPLETED"] * 4
    assert world.in_flight() == {"a#0": 0}


def test_a_busy_process_holds_up_no_check_of_another_client_and_no_other_request() -> None:
    world = StoryWorld("head")

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(SECOND)
        world.processes["a"].health_ns = 60 * SECOND
        world.send(1)
        await world.runtime.sleep(SECOND)
        world.processes["a"].health_ns = 0
        world.send(2)
        await world.runtime.sleep(SECOND)
        assert world.steps(1)[-1] == f"health a#0 [{BOTH}]"
        assert world.steps(2)[-1] == "COMPLETED"

    world.play(story)

    assert world.steps(1)[-1] == "COMPLETED"


def test_a_leader_that_leaves_fails_the_probe_of_its_followers_and_keeps_its_1_on_the_row() -> None:
    world = StoryWorld("head", control={"loads": "inline"})
    world.processes["a"].health_ns = 1500 * MS

    async def story() -> None:
        leader = world.send(0)
        world.send(1)
        await world.runtime.sleep(SECOND)
        leader.cancel()
        await world.runtime.sleep(MS)
        assert f"row of a#0 removed [{SHARED}]" in world.steps(1)

    world.play(story)

    assert world.steps(0) == [*under(SHARED, "locked", "pick", "health a#0", "unlocked")]
    assert world.steps(1)[-1] == "COMPLETED", "after a load into the process that held the model"


def test_a_client_that_leaves_after_its_route_leaves_its_1_to_the_next_route_and_its_check_goes_on() -> None:
    world = StoryWorld("head")

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(SECOND)
        world.processes["a"].health_ns = SECOND
        client = world.send(1)
        await world.runtime.sleep(500 * MS)
        client.cancel()
        await world.runtime.sleep(SECOND)
        assert (world.steps(1)[-4:], world.in_flight()) == (finely_checked()[-4:], {"a#0": 1})
        world.send(2)

    world.play(story)

    assert f"give_back 1 [{SHARED}]" in world.steps(2)
    assert world.in_flight() == {"a#0": 0}


def test_an_unload_that_finds_the_newest_client_busy_for_30_s_unloads_nothing() -> None:
    world = StoryWorld("head", "ab")
    world.processes["a"].predict_ns, world.processes["b"].predict_ns = 10 * SECOND, 100 * SECOND

    async def story() -> None:
        world.send(0)
        await world.runtime.sleep(SECOND)
        world.send(1)
        world.processes["a"].predict_error = Unavailable("connection reset")

    world.play(story)

    assert world.steps(0)[-3:] == [*under("m, alone", "locked", "unlocked"), "FAILED Unavailable"]
    assert world.steps(1)[-1] == "COMPLETED"
    assert sorted(world.in_flight()) == ["a#0", "b#0"]
