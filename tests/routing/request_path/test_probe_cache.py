"""ProbeCache against LocalAI's seven vectors, in both worlds, and what is promised beyond them."""

import pytest

from sim.routing.outcomes import AnswerSource
from sim.routing.ports import Runtime
from sim.routing.request_path.probe_cache import ProbeCache
from sim.routing.request_path.singleflight import LeaderOwnedFlight, UnsharedCalls
from tests.drivers import MS, SECOND, Driver, SimulatedDriver, all_of
from tests.routing.conftest import Flights

MINUTE = 60 * SECOND


class CountedProbe:
    """Answers from a script, the last line of it for ever, and counts how often it was asked."""

    def __init__(self, runtime: Runtime, *answers: bool, takes_ns: int = 0) -> None:
        self.asked = 0
        self._runtime = runtime
        self._answers = answers
        self._takes_ns = takes_ns

    async def __call__(self) -> bool:
        answer = self._answers[min(self.asked, len(self._answers) - 1)]
        self.asked += 1
        if self._takes_ns:
            await self._runtime.sleep(self._takes_ns)
        return answer


def cache_of(runtime: Runtime, flights: Flights, ttl_ns: int) -> ProbeCache:
    return ProbeCache(runtime, ttl_ns, flights(runtime))


def test_c1_within_the_ttl_one_probe_serves_three_calls(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        cache, probe = cache_of(runtime, flights, MINUTE), CountedProbe(runtime, True)
        assert [await cache.is_alive("k", probe) for _ in range(3)] == [True] * 3
        assert probe.asked == 1

    driver.run(story)


def test_c2_after_the_ttl_the_replica_is_probed_again(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        cache, probe = cache_of(runtime, flights, MS), CountedProbe(runtime, True)
        assert await cache.is_alive("k", probe)
        await runtime.sleep(5 * MS)
        assert await cache.is_alive("k", probe)
        assert probe.asked == 2

    driver.run(story)


def test_c3_a_failure_is_not_remembered_and_a_success_is(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        cache, probe = cache_of(runtime, flights, MINUTE), CountedProbe(runtime, False, True)
        assert not await cache.is_alive("k", probe)
        assert not cache.is_fresh("k")
        assert await cache.is_alive("k", probe)
        assert cache.is_fresh("k")
        assert await cache.is_alive("k", probe)
        assert probe.asked == 2

    driver.run(story)


def test_c4_eight_concurrent_callers_share_one_probe(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        cache, probe = cache_of(runtime, flights, MINUTE), CountedProbe(runtime, True, takes_ns=50 * MS)
        answers = await all_of(runtime, [cache.check("k", probe) for _ in range(8)])
        assert [answer.alive for answer in answers] == [True] * 8
        assert [answer.source for answer in answers] == [AnswerSource.PROBED] + [AnswerSource.SHARED] * 7
        assert probe.asked == 1

    driver.run(story)


def test_c5_keys_do_not_answer_for_each_other(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        cache = cache_of(runtime, flights, MINUTE)
        a, b = CountedProbe(runtime, True), CountedProbe(runtime, True)
        assert [await cache.is_alive(key, probe) for key, probe in [("a", a), ("b", b), ("a", a)]] == [True] * 3
        assert (a.asked, b.asked) == (1, 1)

    driver.run(story)


def test_c6_a_ttl_of_zero_is_never_fresh(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        cache, probe = cache_of(runtime, flights, 0), CountedProbe(runtime, True)
        assert [await cache.is_alive("k", probe) for _ in range(3)] == [True] * 3
        assert probe.asked == 3

    driver.run(story)


def test_c7_an_invalidated_key_is_probed_again(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        cache, probe = cache_of(runtime, flights, 60 * MINUTE), CountedProbe(runtime, True)
        assert await cache.is_alive("k", probe)
        cache.invalidate("k")
        assert await cache.is_alive("k", probe)
        assert probe.asked == 2

    driver.run(story)


@pytest.mark.parametrize(("age_ns", "fresh"), [(MS - 1, True), (MS, False), (MS + 1, False)])
def test_the_age_limit_is_strict(age_ns: int, fresh: bool) -> None:
    class SetClock:
        at_ns = 7

        def now_ns(self) -> int:
            return self.at_ns

        wall_ns = now_ns

    clock = SetClock()
    cache = ProbeCache(clock, MS, UnsharedCalls())
    cache.refresh("k")

    clock.at_ns += age_ns

    assert cache.is_fresh("k") is fresh


def test_an_invalidation_during_a_probe_wins_over_its_answer(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        cache, probe = cache_of(runtime, flights, MINUTE), CountedProbe(runtime, True, takes_ns=20 * MS)
        asking = runtime.spawn(cache.is_alive("k", probe), "asking")
        await runtime.sleep(5 * MS)
        cache.invalidate("k")
        while not asking.done():
            await runtime.sleep(5 * MS)
        assert not cache.is_fresh("k")

    driver.run(story)


def test_a_call_that_was_answered_refreshes_the_key(driver: Driver) -> None:
    async def story(runtime: Runtime) -> None:
        cache, probe = cache_of(runtime, LeaderOwnedFlight, MINUTE), CountedProbe(runtime, True)
        cache.refresh("k")
        answer = await cache.check("k", probe)
        assert (answer.alive, answer.source, probe.asked) == (True, AnswerSource.FRESH, 0)

    driver.run(story)


def test_a_longer_ttl_never_adds_probes() -> None:
    def probes_sent(ttl_ns: int) -> int:
        async def story(runtime: Runtime) -> int:
            cache, probe = cache_of(runtime, LeaderOwnedFlight, ttl_ns), CountedProbe(runtime, True)
            for _ in range(100):
                await cache.is_alive("k", probe)
                await runtime.sleep(MS)
            return probe.asked

        sent: int = SimulatedDriver().run(story)
        return sent

    counts = [probes_sent(ttl_ms * MS) for ttl_ms in (0, 1, 2, 5, 10, 33, 1000)]

    assert counts == sorted(counts, reverse=True)
    assert counts[0] == 100
    assert counts[-1] == 1
