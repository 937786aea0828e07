"""What becomes of a call that fails, and of one that takes too long."""

from random import Random
from typing import Any

import pytest

from sim.routing.errors import CallError, ModelNotLoaded, Unavailable
from sim.routing.frontend import build_frontend
from sim.routing.outcomes import Outcome
from sim.routing.policies.adapter import adapted
from sim.routing.policies.best_replica import ChooseBest, pick_best_replica
from sim.routing.policies.port import PolicyClock, PolicyContext
from sim.routing.ports import Runtime
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request_path.retries import Elsewhere, Retries, ThrottledRetries
from tests.drivers import MS, Driver
from tests.twins import MODEL, MemoryWorld, request

CONTEXT = PolicyContext(0, PolicyClock(lambda: 0), Random(1), None)
FAILED, COMPLETED = Outcome.FAILED, Outcome.COMPLETED


def key(node: str) -> ReplicaKey:
    return ReplicaKey(node, MODEL, 0)


def broken_world(runtime: Runtime, broken: str, whole: str = "", error: CallError | None = None, **router: Any) -> Any:
    """Return a world with a replica on each node named; calls to the broken ones fail. Lower names go first."""
    world = MemoryWorld(runtime, dict.fromkeys(broken + whole, 1), router=router)
    for node in broken:
        world.bring_up(node).predict_error = error or Unavailable("broke off")
    for node in whole:
        world.bring_up(node)
    return world


def test_a_failed_call_is_made_again_on_another_replica(driver: Driver) -> None:
    async def story(runtime: Runtime) -> tuple[Any, list[int]]:
        world = broken_world(runtime, "a", "b", retry="other_replica")
        await world.frontend().serve(request(0))
        return world.journal.of("routed", "retried", "ended"), [row.in_flight for row in world.registry.rows.values()]

    told, in_flight = driver.run(story)

    assert told == [
        ("routed", 0, "a#0"),
        ("retried", 0, "a#0", "Unavailable"),
        ("routed", 0, "b#0"),
        ("ended", 0, "COMPLETED", ""),
    ]
    assert in_flight == [0, 0]


@pytest.mark.parametrize(
    "error", [Unavailable("u"), ModelNotLoaded("m"), CallError("c")], ids=lambda e: type(e).__name__
)
def test_whatever_error_a_call_ends_with_it_is_made_again(driver: Driver, error: CallError) -> None:
    async def story(runtime: Runtime) -> Any:
        world = broken_world(runtime, "a", "b", error, retry="other_replica", on_wrong_model="keep_row")
        await world.frontend().serve(request(0))
        return world.journal.of("ended")

    assert driver.run(story) == [("ended", 0, "COMPLETED", "")]


def test_a_request_is_sent_three_times_in_all_and_to_another_replica_each_time(driver: Driver) -> None:
    async def story(runtime: Runtime) -> Any:
        world = broken_world(runtime, "abcd", retry="other_replica")
        await world.frontend().serve(request(0))
        return world.journal.of("routed", "ended")

    told = driver.run(story)

    assert told == [("routed", 0, f"{node}#0") for node in "abc"] + [("ended", 0, "FAILED", "Unavailable")]


def test_without_retries_a_failed_call_is_the_end_of_its_request(driver: Driver) -> None:
    async def story(runtime: Runtime) -> Any:
        world = broken_world(runtime, "a", "b", retry="none")
        await world.frontend().serve(request(0))
        return world.journal.of("retried", "ended")

    assert driver.run(story) == [("ended", 0, "FAILED", "Unavailable")]


def test_a_policy_is_not_shown_the_replicas_that_have_failed_the_request() -> None:
    retries = Retries()
    elsewhere = Elsewhere(adapted(pick_best_replica, CONTEXT, "mine"), retries)
    rows = [Replica(node, key(node), node, 0, 0, 0) for node in "ab"]
    retries.grant(request(0), key("a"))

    assert elsewhere.choice(request(0), ())(rows) is rows[1]
    assert elsewhere.choice(request(1), ())(rows) is rows[0]


def test_a_policy_is_shown_all_replicas_if_all_have_failed_the_request() -> None:
    retries = Retries()
    row = Replica("a", key("a"), "a", 0, 0, 0)
    retries.grant(request(0), key("a"))

    assert Elsewhere(adapted(pick_best_replica, CONTEXT, "mine"), retries).choice(request(0), ())([row]) is row


def test_the_choice_of_a_request_that_has_not_failed_is_the_policys_own() -> None:
    class Best:
        anywhere, listener, pressure = ChooseBest(), None, None

        def choice(self, _request: object, nodes: Any) -> ChooseBest:
            return ChooseBest(nodes)

    assert Elsewhere(Best(), Retries()).choice(request(0), ("a",)) == ChooseBest(("a",))


def test_nothing_is_remembered_of_a_request_that_has_ended(driver: Driver) -> None:
    async def story(runtime: Runtime) -> Any:
        world = broken_world(runtime, "a", "b", retry="other_replica")
        frontend = world.frontend()
        for _ in range(2):
            await frontend.serve(request(0))
        return world.journal.of("routed")

    assert [entry[2] for entry in driver.run(story)] == ["a#0", "b#0"] * 2


@pytest.mark.parametrize(
    ("ends", "is_granted"),
    [
        ([], True),
        ([FAILED] * 3, True),
        ([FAILED] * 4, False),
        ([FAILED] * 4 + [COMPLETED], True),
        ([FAILED] * 40 + [COMPLETED] * 60, False),
        ([FAILED] * 40 + [COMPLETED] * 61, True),
        ([COMPLETED] * 1000 + [FAILED] * 4, False),
    ],
    ids=["full", "60 %", "50 %", "51 %", "emptied, and 50 %", "emptied, and 51 %", "never more than full"],
)
def test_a_throttle_grants_retries_while_more_than_half_of_its_tokens_are_left(
    ends: list[Outcome], is_granted: bool
) -> None:
    retries = ThrottledRetries()
    for end in ends:
        if end is FAILED:
            retries.grant(request(0), key("a"))
            retries.forget(request(0))
        else:
            retries.ended(request(0), end, "")

    assert retries.grant(request(1), key("a")) == is_granted


def test_a_call_that_takes_longer_than_its_limit_has_failed_and_is_counted_no_more(driver: Driver) -> None:
    async def story(runtime: Runtime) -> Any:
        world = MemoryWorld(runtime, {"a": 1}, router={"call_timeout": "20ms"})
        world.bring_up("a").predict_ns = 1000 * MS
        await world.frontend().serve(request(0))
        return world.journal.of("ended"), world.registry.rows[key("a")].in_flight

    assert driver.run(story) == ([("ended", 0, "FAILED", "DeadlineExceeded")], 0)


def test_a_policy_is_told_how_each_call_of_a_request_ended(driver: Driver) -> None:
    told: list[tuple[str, str]] = []

    class Listening:
        def pick(self, replicas: Any) -> Any:
            return pick_best_replica(replicas)

        def sent(self, replica: Any, request: Any) -> None:
            told.append(("sent", replica.node))

        def ended(self, replica: Any, request: Any, outcome: str, duration_ns: int) -> None:
            told.append((outcome, replica.node))

    async def story(runtime: Runtime) -> None:
        world = broken_world(runtime, "a", "b", retry="other_replica")
        policy = adapted(Listening(), CONTEXT, "mine")
        await build_frontend(world.settings, world.ports(), {}, new_chooser=lambda _clock: policy).serve(request(0))

    driver.run(story)

    assert told == [("sent", "a"), ("failed", "a"), ("sent", "b"), ("completed", "b")]
