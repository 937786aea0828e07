"""The engine: whole nanoseconds, ties in order, cancellation, failures that cannot be swallowed, an orderly end."""

import gc
import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from sim.routing.errors import DeadlineExceeded, Unavailable
from sim.simulated.kernel.awaitables import Cancelled
from sim.simulated.kernel.livelock import Livelock
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.kernel.task import SimTask

FAR_NS = 10**18


def run(runtime: SimulatedRuntime) -> None:
    runtime.run_tasks(FAR_NS)


@pytest.mark.parametrize("delay", [math.nan, 1.0, 0.5, -1, True, math.inf], ids=repr)
def test_only_whole_nanoseconds_from_zero_up_enter_the_heap(delay: Any) -> None:
    runtime, woken = SimulatedRuntime(), []

    async def wait() -> None:
        await runtime.sleep(delay)
        woken.append(delay)

    runtime.spawn(wait(), "wait")

    with pytest.raises(ValueError, match="whole number of nanoseconds"):
        run(runtime)
    with pytest.raises(ValueError, match="whole number of nanoseconds"):
        runtime.schedule(runtime.future(), delay=delay)
    assert woken == []


def test_events_of_one_instant_run_in_the_order_they_were_scheduled() -> None:
    runtime, order = SimulatedRuntime(), []

    async def note(number: int) -> None:
        await runtime.sleep(5)
        order.append(number)

    for number in range(10):
        runtime.spawn(note(number), "note")
    run(runtime)

    assert order == list(range(10))


def test_a_ticket_of_ones_own_decides_the_order_of_ties_and_nothing_else() -> None:
    tickets = iter(range(10, 0, -1))
    runtime, order = SimulatedRuntime(tickets), []

    async def note(number: int, after_ns: int) -> None:
        await runtime.sleep(after_ns)
        order.append(number)

    for number in range(3):
        runtime.spawn(note(number, 5), "note")
    runtime.spawn(note(99, 4), "earlier")
    run(runtime)

    assert order == [99, 2, 1, 0]


@pytest.mark.parametrize(("takes_ns", "in_time"), [(9, True), (10, False), (11, False)])
def test_an_answer_at_the_very_instant_of_the_limit_is_too_late(takes_ns: int, in_time: bool) -> None:
    runtime, outcomes = SimulatedRuntime(), []

    async def answer() -> str:
        await runtime.sleep(takes_ns)
        return "answer"

    async def ask() -> None:
        try:
            outcomes.append(await runtime.within(10, answer()))
        except DeadlineExceeded:
            outcomes.append("late")

    runtime.spawn(ask(), "ask")
    run(runtime)

    assert outcomes == ["answer" if in_time else "late"]


def test_what_within_runs_is_cancelled_when_its_caller_is() -> None:
    runtime, ends = SimulatedRuntime(), []

    async def work() -> None:
        try:
            await runtime.sleep(100)
        except Cancelled:
            ends.append(runtime.now_ns())
            raise

    asking = runtime.spawn(runtime.within(50, work()), "ask")

    async def leave() -> None:
        await runtime.sleep(7)
        asking.cancel()

    runtime.spawn(leave(), "leave")
    run(runtime)

    assert ends == [7]


def interrupt(task: SimTask) -> None:
    task.interrupt(Unavailable("interrupted"))


@pytest.mark.parametrize("disturb", [SimTask.cancel, interrupt])
def test_an_event_that_happens_reaches_no_task_that_was_disturbed_by_whoever_heard_of_it_first(
    disturb: Callable[[SimTask], None],
) -> None:
    runtime, heard = SimulatedRuntime(), []
    event = runtime.future()

    async def hear_first() -> None:
        await event
        disturb(second)

    async def hear_second() -> None:
        with suppress(Unavailable):
            heard.append(await event)
        heard.append(await runtime.future())

    runtime.spawn(hear_first(), "first")
    second = runtime.spawn(hear_second(), "second")
    event.set_result("news")
    # Cancelled is no Exception, so the task's end is reported.
    with suppress(Cancelled):
        run(runtime)

    assert heard == []


def test_a_failure_that_nobody_waits_for_stops_the_run_before_the_next_event() -> None:
    runtime, later = SimulatedRuntime(), []

    class TwoWordError(Exception):
        """SimPy rebuilds an error from its arguments, and would lose this one."""

        def __init__(self, what: str, where: str) -> None:
            super().__init__(f"{what} at {where}")

    async def fail() -> None:
        await runtime.sleep(1)
        raise TwoWordError("broken", "t=1")

    async def go_on() -> None:
        await runtime.sleep(1)
        later.append("same instant")

    runtime.spawn(fail(), "fail")
    runtime.spawn(go_on(), "go on")

    with pytest.raises(TwoWordError, match="broken at t=1"):
        run(runtime)
    assert later == []


def test_ctrl_c_cannot_be_swallowed_by_whoever_waits() -> None:
    runtime = SimulatedRuntime()

    async def interrupted() -> None:
        await runtime.sleep(1)
        raise KeyboardInterrupt

    async def stubborn() -> None:
        try:
            await runtime.within(10, interrupted())
        except BaseException:
            await runtime.sleep(100)

    runtime.spawn(stubborn(), "stubborn")

    with pytest.raises(KeyboardInterrupt):
        run(runtime)
    assert runtime.now_ns() == 1


def test_the_horizon_is_exclusive() -> None:
    runtime, reached = SimulatedRuntime(), []

    async def note(at_ns: int) -> None:
        await runtime.sleep(at_ns)
        reached.append(at_ns)

    for at_ns in (9, 10, 11):
        runtime.spawn(note(at_ns), "note")
    runtime.run_tasks(10)

    assert reached == [9]


@pytest.mark.parametrize("threshold", [0, 1, 700], ids=["collector off", "eager", "default"])
def test_unfinished_tasks_are_closed_in_the_order_they_were_started_whatever_the_collector_does(
    threshold: int,
) -> None:
    runtime, closed = SimulatedRuntime(), []

    async def wait(number: int) -> None:
        try:
            await runtime.future()
        finally:
            closed.append(number)

    async def tick() -> None:
        for _ in range(50):
            await runtime.sleep(1)

    before = gc.get_threshold()
    gc.set_threshold(threshold)
    try:
        for number in range(5):
            runtime.spawn(wait(number), "wait")
        runtime.spawn(tick(), "tick")
        run(runtime)
    finally:
        gc.set_threshold(*before)

    assert closed == [0, 1, 2, 3, 4]


def test_a_task_spawned_while_the_run_is_being_closed_does_not_run() -> None:
    runtime, ran = SimulatedRuntime(), []

    async def cleanup() -> None:
        ran.append("cleanup")

    async def wait() -> None:
        try:
            await runtime.future()
        finally:
            runtime.spawn(cleanup(), "cleanup")

    runtime.spawn(wait(), "wait")
    run(runtime)

    assert ran == []


def test_what_fails_at_once_within_a_limit_fails_its_caller_not_the_run() -> None:
    runtime, caught = SimulatedRuntime(), []

    async def fail() -> None:
        raise DeadlineExceeded("at once")

    async def ask() -> None:
        try:
            await runtime.within(10, fail())
        except DeadlineExceeded as error:
            caught.append(str(error))

    runtime.spawn(ask(), "ask")
    run(runtime)

    assert caught == ["at once"]


def test_events_of_one_instant_without_an_end_stop_the_run_and_name_who_makes_them() -> None:
    runtime = SimulatedRuntime()

    async def spin() -> None:
        await runtime.sleep(5 * 10**9)
        while True:
            await runtime.sleep(0)

    runtime.spawn(spin(), "user 7")

    with pytest.raises(Livelock, match=r"stands still at 5\.0 s: more than 1,000 events .* of user 7$"):
        runtime.run_tasks(FAR_NS, most_at_once=1000)
    assert runtime.now_ns() == 5 * 10**9


def test_many_events_are_no_livelock_as_long_as_time_passes() -> None:
    runtime = SimulatedRuntime()

    async def tick() -> None:
        for _ in range(100):
            for _ in range(9):
                await runtime.sleep(0)
            await runtime.sleep(1)

    runtime.spawn(tick(), "tick")

    assert runtime.run_tasks(FAR_NS, most_at_once=10)
    assert runtime.now_ns() == 100
