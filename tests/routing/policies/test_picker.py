"""A policy of one's own: which forms it may have, what it is shown, and what becomes of its mistakes."""

import random
from collections.abc import Callable
from typing import Any

import pytest

from sim.routing.policies.adapter import adapted, misfit
from sim.routing.policies.port import PolicyClock, PolicyContext, PolicyError, ReplicaView, RequestView
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request

A = Replica("1", ReplicaKey("a", "m", 0), "a:1", in_flight=2, last_used_ns=5, available_vram_bytes=7, capacity=0.5)
B = Replica("2", ReplicaKey("b", "m", 1), "b:1", in_flight=0, last_used_ns=6, available_vram_bytes=8)
REQUEST = Request(17, "m", 0, 0, 0, prompt_tokens=30, output_tokens=40, demand_ns=50)
LABEL = "x.yaml:3:5: router.policy: mine"


def context(frontend: int = 0, parameters: Any = None) -> PolicyContext:
    return PolicyContext(frontend, PolicyClock(lambda: 99), random.Random(1), parameters)


def pick(policy: object, *replicas: Replica) -> Replica | None:
    return adapted(policy, context(), LABEL).choice(REQUEST, ())(replicas or (A, B))


class Last:
    """An object with memory of its own."""

    def __init__(self) -> None:
        self.seen: list[RequestView] = []

    def pick(self, replicas: Any, request: RequestView) -> Any:
        self.seen.append(request)
        return replicas[-1]


class Configured:
    def __init__(self, context: PolicyContext) -> None:
        self.context = context

    def pick(self, replicas: Any) -> Any:
        return replicas[self.context.frontend]


FORMS: dict[str, object] = {
    "a function of replicas": lambda replicas: replicas[1],
    "a function of replicas and request": lambda replicas, request: replicas[request.id - 16],
    "a function with an optional request": lambda replicas, request=None: replicas[1] if request else None,
    "a built-in function": max,
    "an object": Last(),
    "a class that takes nothing": Last,
}


@pytest.mark.parametrize("policy", FORMS.values(), ids=FORMS.keys())
def test_a_policy_may_be(policy: object) -> None:
    assert pick(policy) is B


def test_a_class_is_made_from_a_context_once_for_each_frontend() -> None:
    picks = [adapted(Configured, context(index), LABEL).choice(REQUEST, ())((A, B)) for index in (0, 1)]

    assert picks == [A, B]


def test_each_frontend_has_an_object_of_its_own_unless_the_user_shares_one() -> None:
    shared = Last()
    for _ in range(2):
        pick(shared)

    assert [view.id for view in shared.seen] == [17, 17]


def test_a_policy_sees_what_a_router_can_know_and_nothing_else() -> None:
    shown: list[tuple[Any, ...]] = []
    pick(lambda replicas, request: shown.append((replicas, request)))

    assert shown == [
        ((ReplicaView("1", "a", 0, 2, 5, 7, 0.5), ReplicaView("2", "b", 1, 0, 6, 8, 1.0)), RequestView(17, "m", 30, ()))
    ]
    assert ReplicaView._fields == (
        "id", "node", "replica_index", "in_flight", "last_used_ns", "available_vram_bytes", "capacity",
    )  # fmt: skip
    assert RequestView._fields == ("id", "model", "prompt_tokens", "chain")


def test_a_policy_that_returns_none_takes_no_replica() -> None:
    assert pick(lambda replicas: next(iter(replicas[2:]), None)) is None


def test_a_policy_may_be_asked_to_choose_among_no_replicas() -> None:
    assert adapted(take_the_least, context(), LABEL).choice(REQUEST, ())(()) is None


def take_the_least(replicas: Any) -> Any:
    return min(replicas, default=None)


def divide_by_zero(replicas: Any) -> Any:
    return len(replicas) / 0


def sort(replicas: Any) -> Any:
    replicas.sort()


def count_up(replicas: Any) -> Any:
    replicas[0].in_flight += 1


def leave(replicas: Any) -> Any:
    raise SystemExit if replicas else ValueError


STRANGER = ReplicaView("9", "c", 0, 0, 0, 0)
MISTAKES: dict[str, tuple[Callable[..., Any], str]] = {
    "raises": (divide_by_zero, "raised ZeroDivisionError: division by zero ("),
    "changes the list": (sort, "raised AttributeError: 'tuple' object has no attribute 'sort' ("),
    "changes a replica": (count_up, "raised AttributeError: can't set attribute ("),
    "leaves the program": (leave, "raised SystemExit ("),
    "returns an index": (len, "returned 2 for request 17 of m, which is none of the 2 replicas"),
    "returns a replica of its own": (
        lambda replicas: STRANGER if replicas else None,
        "returned ReplicaView(id='9', node='c', ",
    ),
    "returns all of them": (lambda replicas: replicas, "returned (ReplicaView(id='1', "),
}


@pytest.mark.parametrize(("policy", "text"), MISTAKES.values(), ids=MISTAKES.keys())
def test_the_error_names_policy_place_and_request_when_it(policy: Callable[..., Any], text: str) -> None:
    with pytest.raises(PolicyError) as caught:
        pick(policy)

    assert str(caught.value).startswith(f"{LABEL} {text}")
    assert "request 17 of m" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_error_of_a_policy_names_the_line_that_raised_it() -> None:
    with pytest.raises(PolicyError, match=rf"test_picker\.py:{divide_by_zero.__code__.co_firstlineno + 1}\)"):
        pick(divide_by_zero)


def test_a_class_that_cannot_be_made_is_an_error_of_the_policy() -> None:
    class Strict:
        def __init__(self, context: PolicyContext) -> None:
            raise ValueError("d has to be 2 or more")

        def pick(self, replicas: Any) -> Any: ...

    with pytest.raises(PolicyError, match=r"d has to be 2 or more .* when it was made for frontend 0"):
        adapted(Strict, context(), LABEL)


async def later(replicas: Any) -> Any: ...


class WithoutPick: ...


class WithThree:
    def pick(self, replicas: Any, request: Any, more: Any) -> Any: ...


MISFITS: dict[str, tuple[object, str]] = {
    "a number": (3, "found an object of type int; allowed: a function of (replicas)"),
    "a class without pick": (WithoutPick, "found the class WithoutPick without `pick`"),
    "an async function": (later, "found an async function"),
    "a function of nothing": (lambda: None, "found a pick with other arguments"),
    "a class whose pick wants more": (WithThree, "found a pick with other arguments"),
    "an object whose pick wants more": (WithThree(), "found a pick with other arguments"),
}


@pytest.mark.parametrize(("found", "text"), MISFITS.values(), ids=MISFITS.keys())
def test_it_is_refused_before_anything_is_called_if_it_is(found: object, text: str) -> None:
    assert misfit(found).startswith(text)


@pytest.mark.parametrize("policy", [*FORMS.values(), Configured], ids=[*FORMS.keys(), "a class of a context"])
def test_it_is_not_refused_if_it_is(policy: object) -> None:
    assert misfit(policy) == ""
