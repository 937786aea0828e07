"""Both ways of sharing a call, under cancellation, failure and re-entry, in both worlds."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sim.routing.errors import DeadlineExceeded
from sim.routing.ports import Runtime
from sim.routing.request_path.singleflight import DetachedFlight, FlightFailed, LeaderOwnedFlight, ReentrantFlight
from tests.drivers import MS, Driver, SimulatedDriver, all_of
from tests.routing.conftest import Flights


class Call:
    """A call that takes a while, then returns or raises; it counts its starts and its ends."""

    def __init__(self, runtime: Runtime, result: object, takes_ns: int = 20 * MS) -> None:
        self.started = 0
        self.finished = 0
        self._runtime = runtime
        self._result = result
        self._takes_ns = takes_ns

    async def __call__(self) -> Any:
        self.started += 1
        await self._runtime.sleep(self._takes_ns)
        self.finished += 1
        if isinstance(self._result, BaseException):
            raise self._result
        return self._result


class Callers:
    """Callers of one key, each a task of its own; each notes what it got, in the order they got it."""

    def __init__(self, runtime: Runtime, flight: LeaderOwnedFlight | DetachedFlight, key: str = "k") -> None:
        self.got: list[tuple[int, Any]] = []
        self._runtime = runtime
        self._flight = flight
        self._key = key
        self._tasks: list[Any] = []

    async def join(self, call: Callable[[], Awaitable[Any]], callers: int) -> None:
        for _ in range(callers):
            self._tasks.append(self._runtime.spawn(self._ask(len(self._tasks), call), f"caller {len(self._tasks)}"))
            # asyncio starts a task only when the present one waits.
            await self._runtime.sleep(0)

    async def _ask(self, number: int, call: Callable[[], Awaitable[Any]]) -> None:
        try:
            self.got.append((number, await self._flight.do(self._key, call)))
        except BaseException as error:
            self.got.append((number, error))

    def leave(self, *numbers: int) -> None:
        for number in numbers:
            self._tasks[number].cancel()

    async def all_back(self) -> dict[int, Any]:
        while not all(task.done() for task in self._tasks):
            await self._runtime.sleep(MS)
        return dict(self.got)


def kinds(got: dict[int, Any]) -> dict[int, Any]:
    return {number: type(what) if isinstance(what, BaseException) else what for number, what in sorted(got.items())}


def test_callers_of_one_key_share_one_call(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        call, callers = Call(runtime, "answer"), Callers(runtime, flights(runtime))
        await callers.join(call, 5)
        assert kinds(await callers.all_back()) == dict.fromkeys(range(5), "answer")
        assert call.started == 1

    driver.run(story)


def test_two_keys_fly_apart(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        flight, a, b = flights(runtime), Call(runtime, "a"), Call(runtime, "b")
        assert await all_of(runtime, [flight.do("a", a), flight.do("b", b)]) == ["a", "b"]
        assert (a.started, b.started) == (1, 1)

    driver.run(story)


@pytest.mark.parametrize("error", [DeadlineExceeded("late"), ValueError("a bug")], ids=["error", "exception"])
def test_a_failure_reaches_every_caller_as_an_object_of_its_own(
    driver: Driver, flights: Flights, error: Exception
) -> None:
    async def story(runtime: Runtime) -> None:
        call, callers = Call(runtime, error), Callers(runtime, flights(runtime))
        await callers.join(call, 3)
        got = await callers.all_back()
        assert len({id(what) for what in got.values()}) == 3
        assert all(isinstance(got[number], FlightFailed) and repr(error) in str(got[number]) for number in (1, 2))
        assert call.started == 1

    driver.run(story)


@pytest.mark.parametrize(
    ("leavers", "owned", "detached"),
    [
        ((0,), {1: FlightFailed, 2: FlightFailed, 3: FlightFailed}, {1: "answer", 2: "answer", 3: "answer"}),
        ((2,), {0: "answer", 1: "answer", 3: "answer"}, {0: "answer", 1: "answer", 3: "answer"}),
        ((0, 1), {2: FlightFailed, 3: FlightFailed}, {2: "answer", 3: "answer"}),
        ((0, 1, 2, 3), {}, {}),
    ],
    ids=["leader", "middle follower", "leader and first follower", "all"],
)
def test_who_leaves_takes_along_only_what_is_theirs(
    driver: Driver, flights: Flights, leavers: tuple[int, ...], owned: dict[int, Any], detached: dict[int, Any]
) -> None:
    async def story(runtime: Runtime) -> None:
        flight, call = flights(runtime), Call(runtime, "answer")
        callers = Callers(runtime, flight)
        await callers.join(call, 4)
        callers.leave(*leavers)
        got = kinds(await callers.all_back())
        await runtime.sleep(40 * MS)
        gone = dict.fromkeys(leavers, driver.cancellation)
        stays = owned if flights is LeaderOwnedFlight else detached
        assert got == gone | stays
        assert call.finished == (0 if flights is LeaderOwnedFlight and 0 in leavers else 1)
        assert not flight.is_under_way("k")

    driver.run(story)


def test_a_followers_own_time_limit_ends_only_its_own_wait(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        flight, call = flights(runtime), Call(runtime, "answer", takes_ns=60 * MS)
        hasty = runtime.within(10 * MS, flight.do("k", call))
        got = await all_of(runtime, [flight.do("k", call), hasty, flight.do("k", call)])
        assert (got[0], type(got[1]), got[2]) == ("answer", DeadlineExceeded, "answer")
        assert call.started == 1

    driver.run(story)


@pytest.mark.parametrize("leaves_first", [True, False])
def test_leaving_at_the_very_instant_of_the_answer_harms_nobody_else(flights: Flights, leaves_first: bool) -> None:
    async def story(runtime: Runtime) -> dict[int, Any]:
        call, callers = Call(runtime, "answer", takes_ns=20 * MS), Callers(runtime, flights(runtime))

        async def leave_at(instant_ns: int) -> None:
            await runtime.sleep(instant_ns)
            callers.leave(1)

        # Ties run in the order they were scheduled, so the order of these two lines is the order of the events.
        if leaves_first:
            runtime.spawn(leave_at(20 * MS), "leave")
            await callers.join(call, 3)
        else:
            await callers.join(call, 3)
            runtime.spawn(leave_at(20 * MS), "leave")
        return kinds(await callers.all_back())

    got = SimulatedDriver().run(story)

    assert (got[0], got[2]) == ("answer", "answer")
    assert got[1] in ("answer", SimulatedDriver.cancellation)


def test_a_call_that_asks_for_its_own_key_is_refused_not_deadlocked(driver: Driver, flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        flight = flights(runtime)

        async def asks_itself() -> object:
            return await flight.do("k", asks_itself)

        async def asks_across() -> object:
            async def back() -> object:
                return await flight.do("k", asks_across)

            return await flight.do("other", back)

        for call in (asks_itself, asks_across):
            with pytest.raises((ReentrantFlight, FlightFailed), match="itself"):
                await flight.do("k", call)
            assert not flight.is_under_way("k")

    driver.run(story)


def test_ctrl_c_in_a_call_ends_the_flight_and_stops_the_run(flights: Flights) -> None:
    flown: list[Any] = []

    async def story(runtime: Runtime) -> None:
        flight = flights(runtime)
        flown.append(flight)
        for call in (Call(runtime, KeyboardInterrupt()), Call(runtime, "unused")):
            runtime.spawn(flight.do("k", call), "caller")
        await runtime.sleep(40 * MS)

    with pytest.raises(KeyboardInterrupt):
        SimulatedDriver().run(story)

    assert not flown[0].is_under_way("k")


def test_ten_thousand_followers_that_leave_leave_nothing(flights: Flights) -> None:
    async def story(runtime: Runtime) -> None:
        flight, call = flights(runtime), Call(runtime, "answer", takes_ns=1000 * MS)
        steady = Callers(runtime, flight)
        await steady.join(call, 1)
        for _ in range(100):
            passing = Callers(runtime, flight)
            await passing.join(call, 100)
            passing.leave(*range(100))
            await passing.all_back()
            waiting = len(flight._under_way["k"]._seats)
            assert waiting <= 1
        assert kinds(await steady.all_back()) == {0: "answer"}
        assert not flight._under_way

    SimulatedDriver().run(story)
