"""Clients: when they send, and how long they wait."""

from itertools import count
from typing import Any

import pytest

from sim.routing.clients import Clients, TooManyRequests, Turn, User
from sim.routing.ports import Runtime
from sim.routing.request import Request
from tests.drivers import SECOND, Driver
from tests.twins import MODEL, ListJournal


def a_turn(think_s: int, patience_s: int | None = None) -> Turn:
    patience_ns = None if patience_s is None else patience_s * SECOND
    return Turn(think_s * SECOND, Request(-1, MODEL, 0, 0, 0, patience_ns=patience_ns))


def arrivals_s(driver: Driver, *turns: Turn, start_s: int = 0, stop_s: int = 1000) -> list[int]:
    """Return when the requests of one user arrive, each of which takes a second."""

    async def story(runtime: Runtime) -> Any:
        arrived: list[int] = []

        async def serve(request: Request) -> None:
            arrived.append(request.arrival_ns // SECOND)
            await runtime.sleep(SECOND)

        user = User(0, start_s * SECOND, stop_s * SECOND, iter(turns))
        await Clients(runtime, ListJournal(), {0: serve}).take_turns(user)
        return arrived

    result: list[int] = driver.run(story)
    return result


def test_a_user_thinks_after_each_answer_before_the_next_request(driver: Driver) -> None:
    assert arrivals_s(driver, a_turn(2), a_turn(5), a_turn(0)) == [2, 2 + 1 + 5, 8 + 1]


def test_a_user_begins_to_think_at_the_start(driver: Driver) -> None:
    assert arrivals_s(driver, a_turn(2), start_s=10) == [12]


def test_a_user_sends_nothing_from_the_stop_on(driver: Driver) -> None:
    assert arrivals_s(driver, a_turn(2), a_turn(2), a_turn(2), stop_s=5) == [2]


def test_a_user_whose_patience_ends_thinks_from_then_on(driver: Driver) -> None:
    assert arrivals_s(driver, a_turn(3), a_turn(4), a_turn(2, patience_s=1)) == [3, 8, 11]


def test_of_requests_that_nobody_planned_the_one_too_many_is_refused(driver: Driver) -> None:
    async def story(runtime: Runtime) -> list[int]:
        sent: list[int] = []

        async def fail_at_once(request: Request) -> None:
            sent.append(request.id)

        user = User(0, 0, SECOND, (a_turn(0) for _ in count()))
        with pytest.raises(TooManyRequests, match=r"workload\[0\] would send .* at 0.0 s; allowed: 1,000 in all"):
            await Clients(runtime, ListJournal(), {0: fail_at_once}, most_requests=1000).take_turns(user)
        return sent

    assert driver.run(story) == list(range(1000))
