"""When a model whose load has failed is tried again, and which failures count."""

from contextlib import suppress

import pytest

from sim.routing.errors import CallError, LoadFailed, NoMatchingNode, Unavailable
from sim.routing.loading.eviction import Eviction
from sim.routing.loading.free_process import stop_exact_process
from sim.routing.loading.load_limits import BY_SIZE
from sim.routing.loading.load_path import LoadPath
from sim.routing.loading.load_retry import RetryAtOnce, RetryWithBackoff
from sim.routing.loading.placement import REPAIRED
from sim.routing.settings import ModelConfig
from sim.simulated.nodes.backend import LoadFailure
from tests.counting import counted
from tests.drivers import SECOND
from tests.hand_clock import HandClock
from tests.routing.fleet_world import MODEL
from tests.routing.loading.cold_loads import REFUSAL, ends, failing_once, frontend, loads, send, world_of

FAILURE = CallError(REFUSAL)


def may_start(retry: RetryWithBackoff, model: str = MODEL) -> bool:
    with suppress(LoadFailed):
        retry.require_turn(model)
        return True
    return False


def test_each_failure_doubles_the_pause_from_10_seconds_up_to_5_minutes() -> None:
    clock, pauses_s = HandClock(), []
    retry = RetryWithBackoff(clock)

    for _ in range(8):
        retry.failed(MODEL, FAILURE)
        began_ns = clock.t_ns
        while not may_start(retry):
            clock.t_ns += SECOND
        pauses_s.append((clock.t_ns - began_ns) // SECOND)

    assert pauses_s == [10, 20, 40, 80, 160, 300, 300, 300]


def test_the_pause_is_over_at_its_last_instant_and_not_one_nanosecond_earlier() -> None:
    clock = HandClock()
    retry = RetryWithBackoff(clock)
    retry.failed(MODEL, FAILURE)

    clock.t_ns = 10 * SECOND - 1
    assert not may_start(retry)
    clock.t_ns = 10 * SECOND
    assert may_start(retry)


def test_a_success_ends_the_doubling() -> None:
    clock = HandClock()
    retry = RetryWithBackoff(clock)
    retry.failed(MODEL, FAILURE)
    retry.failed(MODEL, FAILURE)
    retry.loaded(MODEL)

    assert may_start(retry)
    retry.failed(MODEL, FAILURE)
    clock.t_ns = 10 * SECOND
    assert may_start(retry)


def test_one_model_does_not_wait_for_another() -> None:
    retry = RetryWithBackoff(HandClock())
    retry.failed(MODEL, FAILURE)

    assert may_start(retry, "other")


def test_the_error_of_a_pause_names_the_failure_before_it() -> None:
    retry = RetryWithBackoff(HandClock())
    retry.failed(MODEL, Unavailable("nobody there"))

    with pytest.raises(LoadFailed, match=f"{MODEL} is not tried again yet: Unavailable: nobody there"):
        retry.require_turn(MODEL)


def test_without_a_pause_a_model_may_be_tried_at_once() -> None:
    retry = RetryAtOnce()
    retry.failed(MODEL, FAILURE)

    retry.require_turn(MODEL)


def loads_of_requests(retry: str, *at_s: int) -> tuple[int, list[tuple[float, str, str]]]:
    """Send a request at each of the times; the first load fails at once. Return the loads, and how each ended."""
    world = world_of("a", load_s=2)
    failing_once(world, after_ns=0)
    entrance = frontend(world, loads="inline", load_retry=retry)

    async def story() -> None:
        for time_s in at_s:
            await world.runtime.sleep(time_s * SECOND - world.runtime.now_ns())
            send(world, entrance)

    world.run(story())
    return loads(world), ends(world)


def test_a_request_within_the_pause_fails_without_a_load_and_one_after_it_is_served() -> None:
    assert loads_of_requests("backoff", 1, 6, 11) == (
        2,
        [(1, "FAILED", "CallError"), (6, "FAILED", "LoadFailed"), (13, "COMPLETED", "")],
    )


def test_without_a_pause_the_next_request_loads_the_model() -> None:
    assert loads_of_requests("at_once", 1, 6) == (2, [(1, "FAILED", "CallError"), (8, "COMPLETED", "")])


def test_a_lack_of_nodes_begins_no_pause() -> None:
    world, retry = world_of("a"), RetryWithBackoff(HandClock())
    picky = ModelConfig(MODEL, selector={"gpu": "none has it"})
    ports = world.ports()
    eviction = Eviction(ports, {}, stop_exact_process)
    load_path = LoadPath(counted(ports), {MODEL: picky}, REPAIRED, eviction, BY_SIZE, retry=retry)

    async def story() -> None:
        with pytest.raises(NoMatchingNode):
            await load_path.load(MODEL, 0, "cold_load")

    world.run(story())

    assert may_start(retry)


def test_a_job_that_may_not_be_tried_yet_ends_at_once_and_leaves_the_load_to_another_frontend() -> None:
    world = world_of("a", load_s=2)
    failures = [LoadFailure(REFUSAL, 0)] * 2
    world.workers.load_failure = lambda _key: failures.pop() if failures else None
    paused, other = (frontend(world, loads="job", load_retry="backoff") for _ in range(2))

    async def story() -> None:
        # A failed job answers for 15 s. After the second failure the pause lasts 20 s.
        for time_s, entrance in [(0, paused), (16, paused), (32, paused), (33, other)]:
            await world.runtime.sleep(time_s * SECOND - world.runtime.now_ns())
            send(world, entrance)

    world.run(story())

    assert loads(world) == 3
    assert ends(world) == [
        (0, "FAILED", "LoadFailed"),
        (16, "FAILED", "LoadFailed"),
        (32, "FAILED", "LoadFailed"),
        (35, "COMPLETED", ""),
    ]
