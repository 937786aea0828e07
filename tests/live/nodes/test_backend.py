"""The gRPC client against real worker processes: how long calls take, and how they end."""

import asyncio
from typing import Any

import pytest

from sim.live.nodes.backend import GrpcBackend
from sim.routing.errors import CallError, DeadlineExceeded, ModelNotLoaded, Unavailable, WrongModel
from sim.routing.ports import Clock
from sim.routing.request import Request
from tests.live.workers import BY_TOKENS, KEY, LONG_MS, LiveWorld, live_world, request, run
from tests.twins import MODEL, MS
from tests.waiting import until


def test_a_busy_one_worker_backend_answers_health_only_after_its_predict() -> None:
    async def story() -> None:
        async with live_world(workers=1, health="serialized") as world:
            backend = await world.loaded()
            predict = world.predict(backend, LONG_MS)
            await _served(world)

            with pytest.raises(DeadlineExceeded):
                await world.runtime.within(50 * MS, backend.health())
            assert not predict.done()
            predict.cancel()

            await backend.health()

    run(story)


@pytest.mark.parametrize(
    "settings",
    [{"workers": 2, "health": "serialized"}, {"workers": 1, "health": "independent"}],
    ids=["two workers", "independent health"],
)
def test_a_backend_with_a_thread_to_spare_answers_health_while_it_predicts(settings: dict[str, Any]) -> None:
    async def story() -> None:
        async with live_world(**settings) as world:
            backend = await world.loaded()
            predict = world.predict(backend, LONG_MS)
            await _served(world)

            await backend.health()

            assert not predict.done()

    run(story)


def test_an_event_loop_answers_health_between_two_of_its_calls() -> None:
    async def story() -> None:
        async with live_world(health="event_loop") as world:
            backend = await world.loaded()
            predicts = await _queue(world, backend)
            with pytest.raises(DeadlineExceeded):
                await world.runtime.within(50 * MS, backend.health())

            await _end_predicts_until_done(world.runtime.spawn(backend.health(), "health"), predicts)

            assert predicts

    run(story)


@pytest.mark.parametrize("health", ["event_loop", "independent"])
def test_a_process_is_freed_when_a_health_call_would_be_answered(health: str) -> None:
    async def story() -> None:
        async with live_world(health=health) as world:
            backend = await world.loaded()
            predicts = await _queue(world, backend)

            await _end_predicts_until_done(world.runtime.spawn(backend.free(), "free"), predicts)

            assert predicts

    run(story)


def test_requests_wait_their_turn_on_one_worker() -> None:
    async def story() -> None:
        async with live_world(workers=1) as world:
            backend = await world.loaded()
            begun_ns = world.runtime.now_ns()

            await asyncio.gather(*(backend.predict(request(100)) for _ in range(3)))

            assert world.runtime.now_ns() - begun_ns >= 300 * MS

    run(story)


def test_a_burst_of_thousands_queues_and_is_served_to_the_last() -> None:
    async def story() -> None:
        async with live_world(workers=1) as world:
            backend = await world.loaded()

            await asyncio.gather(*(backend.predict(request()) for _ in range(3000)))

            assert len(world.journal.of("served_from")) == 3000

    run(story)


def test_a_drawn_service_time_passes_and_tells_no_first_token() -> None:
    async def story() -> None:
        async with live_world() as world:
            backend = await world.loaded()
            begun_ns = world.runtime.now_ns()

            await backend.predict(request(100))

            assert world.runtime.now_ns() - begun_ns >= 100 * MS
            assert world.journal.told == [("served_from", 7)]

    run(story)


def test_the_first_token_comes_after_prefill_and_the_last_after_decode() -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS) as world:
            first = _FirstTokens(world.runtime)
            world.journal.first_token = first.first_token  # type: ignore[method-assign]
            backend = await world.loaded()
            begun_ns = world.runtime.now_ns()

            await backend.predict(request(prompt_tokens=100, output_tokens=600))

            ended_ns = world.runtime.now_ns()
            assert first.at_ns[0] - begun_ns >= 100 * MS
            assert ended_ns - begun_ns >= 700 * MS
            assert ended_ns - first.at_ns[0] >= 100 * MS  # less than its 600, in case we hear of it late

    run(story)


def test_a_process_with_a_cache_tells_what_it_had_of_a_prompt_until_it_loads_anew() -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS, prompt_cache=9) as world:
            backend = await world.loaded()

            for chain in ((1, 2, 3), (1, 2, 4), (5,), ()):
                await backend.predict(request(prompt_tokens=1, output_tokens=1, chain=chain))
            await backend.load_model(MODEL)
            await backend.predict(request(prompt_tokens=1, output_tokens=1, chain=(1, 2, 3)))

            assert world.journal.of("recalled") == [("recalled", 7, blocks) for blocks in (0, 2, 0, 0)]

    run(story)


def test_what_a_process_has_of_a_prompt_takes_no_prefill() -> None:
    async def story() -> None:
        async with live_world(service=BY_TOKENS, prompt_cache=9) as world:
            backend = await world.loaded()
            await backend.predict(request(prompt_tokens=1, output_tokens=1, chain=(1, 2, 3)))

            # Without the cache it would take longer than any test may.
            await backend.predict(request(prompt_tokens=LONG_MS, output_tokens=1, chain=(1, 2, 3)))

    run(story)


def test_a_time_scale_shortens_every_duration() -> None:
    async def story() -> None:
        async with live_world(time_scale=0.001, load_time="60s") as world:
            backend = world.dial(await world.workers.start(KEY))
            begun_ns = world.runtime.now_ns()

            await backend.load_model(MODEL)
            await backend.predict(request(100_000))

            assert world.runtime.now_ns() - begun_ns >= 160_000 * MS

    run(story)


def test_a_process_without_a_model_says_so() -> None:
    async def story() -> None:
        async with live_world() as world:
            backend = world.dial(await world.workers.start(KEY))

            with pytest.raises(ModelNotLoaded):
                await backend.predict(request())

            assert world.journal.of("served_from", "first_token") == []
            assert await backend.status() == "UNINITIALIZED"

    run(story)


def test_a_process_with_another_model_says_so() -> None:
    async def story() -> None:
        async with live_world() as world:
            backend = await world.loaded()

            with pytest.raises(WrongModel, match="m is loaded, not another"):
                await backend.predict(request(model="another"))

            await backend.predict(request())

    run(story)


def test_a_freed_process_holds_nothing_until_it_is_loaded_again() -> None:
    async def story() -> None:
        async with live_world() as world:
            backend = await world.loaded()

            await backend.free()
            with pytest.raises(ModelNotLoaded):
                await backend.predict(request())
            await backend.load_model(MODEL)

            await backend.predict(request())
            assert await backend.status() == "READY"
            assert world.journal.of("served_from") == [("served_from", 7)]

    run(story)


def test_a_process_killed_mid_stream_is_unavailable() -> None:
    async def story() -> None:
        async with live_world() as world:
            backend = await world.loaded()
            predict = world.predict(backend, LONG_MS)
            await _served(world)

            world.workers.kill(KEY)

            with pytest.raises(Unavailable):
                await predict

    run(story)


def test_an_address_where_nobody_listens_is_unavailable() -> None:
    async def story() -> None:
        async with live_world() as world:
            nobody = world.dial("127.0.0.1:1")

            for call in (nobody.health(), nobody.predict(request()), nobody.load_model(MODEL)):
                with pytest.raises(Unavailable):
                    await call

            assert world.journal.told == []

    run(story)


def test_a_load_waits_behind_a_predict_and_tells_what_was_held() -> None:
    async def story() -> None:
        async with live_world(workers=1) as world:
            backend = await world.loaded()
            begun_ns = world.runtime.now_ns()
            world.predict(backend, 300)
            await _served(world)

            await backend.load_model(MODEL)

            assert world.runtime.now_ns() - begun_ns >= 300 * MS
            await backend.free()
            await backend.load_model(MODEL)
            started = world.journal.of("load_started")
            assert started == [("load_started", "node-1#0", True), ("load_started", "node-1#0", False)]

    run(story)


def test_a_load_given_up_in_the_queue_is_told_once_and_changes_nothing() -> None:
    async def story() -> None:
        async with live_world(workers=1) as world:
            backend = await world.loaded()
            predict = world.predict(backend, LONG_MS)
            await _served(world)

            with pytest.raises(DeadlineExceeded):
                await world.runtime.within(50 * MS, backend.load_model("another"))
            predict.cancel()

            await backend.predict(request())
            assert world.journal.of("load_started") == [("load_started", "node-1#0", False)]

    run(story)


@pytest.mark.parametrize("same_port", [False, True], ids=["another port", "the same port"])
def test_a_restarted_process_is_reached_at_once(same_port: bool) -> None:
    async def story() -> None:
        async with live_world() as world:
            first = await world.workers.start_loaded(KEY)
            kept = world.dial(first)
            await kept.health()
            world.workers.kill(KEY)
            for _ in range(3):
                with pytest.raises(Unavailable):
                    await kept.health()

            port = int(first.rpartition(":")[2]) if same_port else 0
            second = await world.workers.start_loaded(KEY, port=port)

            assert (second == first) == same_port
            await world.dial(second).predict(request())
            if same_port:
                await kept.predict(request())

    run(story)


def test_a_predict_that_is_given_up_frees_the_thread() -> None:
    async def story() -> None:
        async with live_world(workers=1) as world:
            backend = await world.loaded()
            served, queued = world.predict(backend, LONG_MS), world.predict(backend, LONG_MS)
            await _served(world)

            queued.cancel()
            served.cancel()
            await asyncio.gather(served, queued, return_exceptions=True)

            await backend.predict(request())
            assert served.cancelled()
            assert queued.cancelled()

    run(story)


def test_a_token_is_asked_for_where_one_is_set() -> None:
    async def story() -> None:
        async with live_world(token="secret") as world, live_world(token="wrong") as stranger:
            address = await world.workers.start_loaded(KEY)

            await world.dial(address).predict(request())
            with pytest.raises(CallError, match="UNAUTHENTICATED"):
                await stranger.dial(address).health()
            with pytest.raises(CallError, match="UNAUTHENTICATED"):
                await stranger.dial(address).predict(request())

    run(story)


def test_calls_under_way_end_when_their_dialer_is_closed() -> None:
    async def story() -> None:
        async with live_world() as world:
            predict = world.predict(await world.loaded(), LONG_MS)
            await _served(world)

            await world.dialer.close()

            with pytest.raises(Unavailable):
                await predict

    run(story)


class _FirstTokens:
    def __init__(self, clock: Clock) -> None:
        self.at_ns: list[int] = []
        self._clock = clock

    def first_token(self, request: Request) -> None:
        self.at_ns.append(self._clock.now_ns())


async def _served(world: Any) -> None:
    """Wait until a worker has turned to a request."""
    await until("service", lambda: world.journal.of("served_from"))


async def _queue(world: LiveWorld, backend: GrpcBackend) -> list[asyncio.Task[Any]]:
    """Have one request served and five wait behind it; return them in that order."""
    first = world.predict(backend, LONG_MS)
    # gRPC sends calls that have waited for their connection in any order.
    await _served(world)
    return [first, *(world.predict(backend, LONG_MS) for _ in range(5))]


async def _end_predicts_until_done(call: asyncio.Task[Any], predicts: list[asyncio.Task[Any]]) -> None:
    """Give up one request after the other, the first first, until the call has been answered."""
    while not call.done() and predicts:
        # Should the call arrive just after the end of a request, it waits for the end of the next one.
        await asyncio.wait([call], timeout=0.1)
        predicts.pop(0).cancel()
        await asyncio.wait([call], timeout=5)
    assert call.done()
