"""Policies that follow a prompt's beginning, pick by pick."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.policies.best_replica import BestReplica
from sim.routing.policies.choose import RowPolicy
from sim.routing.policies.picker import replica_view
from sim.routing.policies.port import ReplicaView, RequestView
from sim.routing.policies.prefix.prefix_cache import PrefixCache
from sim.routing.policies.prefix.prefix_then_balance import PrefixThenBalance
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.scenario.policies.making import BadParameters
from tests.hand_clock import HandClock
from tests.routing.policies.views import SECOND, assert_drawn, loads, made, replica

BOTH = [PrefixCache, PrefixThenBalance]


def asking(*chain: int, model: str = "m") -> RequestView:
    return RequestView(0, model, 0, chain)


def sent(policy: Any, node: str, *chain: int, row: str = "", model: str = "m") -> None:
    policy.sent(replica(node, row=row), asking(*chain, model=model))


def picked(policy: Any, replicas: list[ReplicaView], *chain: int) -> str:
    """Return the node that is picked, whether the policy sees views or the rows themselves."""
    if isinstance(policy, RowPolicy):
        row = policy.choice(requested(*chain), ())(list(map(row_of, replicas)))
        assert row is not None
        return row.key.node
    return str(policy.pick(replicas, asking(*chain)).node)


def requested(*chain: int) -> Request:
    return Request(0, "m", 0, 0, 0, chain=chain)


def row_of(view: ReplicaView) -> Replica:
    key = ReplicaKey(view.node, "m", view.replica_index)
    return Replica(view.id, key, "", view.in_flight, view.last_used_ns, view.available_vram_bytes)


@pytest.mark.parametrize("policy", BOTH)
def test_a_prompt_goes_where_its_beginning_went(policy: type) -> None:
    router = made(policy)
    sent(router, "c", 1, 2, 3)

    assert picked(router, loads(a=0, b=0, c=1), 1, 2, 4) == "c"


@pytest.mark.parametrize("policy", BOTH)
def test_models_share_no_prompts(policy: type) -> None:
    router = made(policy)
    sent(router, "c", 1, 2, 3, model="another")

    assert picked(router, loads(a=0, b=1, c=1), 1, 2, 3) == "a"


@pytest.mark.parametrize(("age_s", "expected"), [(60, "b"), (61, "a")])
@pytest.mark.parametrize("policy", BOTH)
def test_a_prompt_is_forgotten_after_its_time_to_live(policy: type, age_s: int, expected: str) -> None:
    clock = HandClock()
    router = made(policy, clock=clock, ttl_s=60)
    sent(router, "b", 1)

    clock.t_ns = age_s * SECOND

    assert picked(router, loads(a=0, b=1), 1) == expected


@pytest.mark.parametrize(("on_new_row", "expected"), [("forget", "a"), ("keep", "b")])
@pytest.mark.parametrize("policy", BOTH)
def test_what_a_replica_saw_before_its_row_was_written_anew(policy: type, on_new_row: str, expected: str) -> None:
    router = made(policy, on_new_row=on_new_row)
    picked(router, loads(a=0, b=0), 1)
    sent(router, "b", 1)

    assert picked(router, [replica("a"), replica("b", in_flight=1, row="another")], 1) == expected


# id: (requests in flight on the least loaded, on the one that knows the prompt, whether it gets the prompt)
GUARD: dict[str, tuple[int, int, bool]] = {
    "one above an idle one": (0, 1, True),
    "two above an idle one": (0, 2, False),
    "two above two": (2, 4, True),
    "three above three": (3, 6, False),
}


@pytest.mark.parametrize(("least", "known", "gets_it"), GUARD.values(), ids=GUARD)
def test_prefix_cache_spares_a_replica_that_is_too_busy_by_either_limit(least: int, known: int, gets_it: bool) -> None:
    router = made(PrefixCache)
    sent(router, "b", 1)

    assert picked(router, loads(a=least, b=known), 1) == ("b" if gets_it else "a")


def test_prefix_cache_sends_an_unknown_prompt_to_the_replica_that_has_seen_least_of_late() -> None:
    router = made(PrefixCache)
    for node, *chain in (("a", 1, 2), ("b", 3), ("c", 4, 5, 6)):
        sent(router, str(node), *map(int, chain))

    assert picked(router, loads(a=0, b=1, c=0), 7, 8) == "b"


def test_prefix_cache_ignores_a_match_that_is_too_short() -> None:
    router = made(PrefixCache)
    sent(router, "b", 1)

    assert picked(router, loads(a=0, b=0), 1, 2, 3) == "b"  # a third of it
    assert picked(router, loads(a=0, b=0), 1, 2, 3, 4) == "a"  # a quarter


def test_prefix_cache_looks_at_no_more_of_a_prompt_than_its_depth() -> None:
    router = made(PrefixCache, depth=2)
    sent(router, "b", 1, 2, 3, 4)

    assert picked(router, loads(a=0, b=1), 1, 2, 9, 9, 9, 9, 9, 9) == "b"


def test_prefix_cache_takes_the_best_replica_for_a_request_without_a_prompt() -> None:
    used = [replica("a", 0, last_used_ns=9), replica("b", 0, last_used_ns=5), replica("c", 1, last_used_ns=0)]

    assert picked(made(PrefixCache), used) == "b"


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 2)), max_size=5), st.booleans())
def test_without_a_prompt_prefix_cache_asks_the_registry_for_what_best_replica_asks(
    figures: list[tuple[int, int, int]], is_selective: bool
) -> None:
    """So `head` decides on requests of which no prompt is known as the versions before it, and in SQL by its order."""
    rows = [Replica(f"row {n}", ReplicaKey("abcde"[n], "m", 0), "", *three) for n, three in enumerate(figures)]
    nodes = ("a", "b") if is_selective else ()

    choices = [policy.choice(requested(), nodes) for policy in (made(PrefixCache), BestReplica())]

    asked = [(choice.nodes, choice.order, choice(rows)) for choice in choices]
    assert asked[0] == asked[1]


def test_prefix_cache_takes_the_best_of_the_rest_once_the_preferred_row_has_gone() -> None:
    router = made(PrefixCache)
    router.sent(replica("b"), asking(1))
    choose = router.choice(requested(1), ())
    rows = [row_of(view) for view in (replica("a", 1), replica("b"), replica("c", 1, last_used_ns=-1))]

    chosen = choose(rows), choose([rows[0], rows[2]])

    assert chosen == (rows[1], rows[2])


def test_prefix_cache_counts_a_request_that_is_kept_from_its_replica_once_a_pick() -> None:
    router = made(PrefixCache)
    sent(router, "b", 1)
    kept, spared, unknown = loads(a=0, b=1), loads(a=0, b=2), loads(a=9, b=9)

    counts = []
    for replicas, block in ((kept, 1), (spared, 1), (unknown, 7)):
        choose, rows = router.choice(requested(block), ()), list(map(row_of, replicas))
        choose(rows), choose(rows)
        counts.append(router.pressure.count("m"))

    assert counts == [0, 1, 1]


def of_one_node(*in_flight: int) -> list[Replica]:
    return [Replica(f"row {n}", ReplicaKey("a", "m", n), "", count, 0, 0) for n, count in enumerate(in_flight)]


@pytest.mark.parametrize(("replica_index", "expected"), [("shown", 1), ("always_0", 0)])
def test_prefix_cache_prefers_the_second_replica_of_a_node_only_if_it_can_tell_them_apart(
    replica_index: str, expected: int
) -> None:
    router = made(PrefixCache, replica_index=replica_index)
    router.sent(replica_view(of_one_node(0, 0)[1]), asking(1))

    assert router.choice(requested(1), ())(of_one_node(1, 0)).key.replica_index == expected


def test_prefix_then_balance_draws_among_the_least_loaded_for_an_unknown_prompt() -> None:
    assert_drawn(made(PrefixThenBalance), loads(a=0, b=0, c=1), {"a": 1 / 2, "b": 1 / 2})


@pytest.mark.parametrize(("max_excess", "expected"), [(3, "b"), (2, "a"), (None, "b")])
def test_prefix_then_balance_spares_a_replica_that_is_busier_by_more_than_the_excess(
    max_excess: int | None, expected: str
) -> None:
    router = made(PrefixThenBalance, max_excess=max_excess)
    sent(router, "b", 1)

    assert picked(router, loads(a=0, b=3), 1) == expected


WRONG: dict[str, dict[str, Any]] = {
    "ttl_s": {"ttl_s": 0},
    "on_new_row": {"on_new_row": "drop"},
    "min_match": {"min_match": 1.5},
    "max_excess": {"max_excess": -1},
}


@pytest.mark.parametrize("key", WRONG)
@pytest.mark.parametrize("policy", BOTH)
def test_a_limit_that_is_none_is_refused(policy: type, key: str) -> None:
    with pytest.raises(BadParameters) as caught:
        made(policy, **WRONG[key])

    assert caught.value.key == key


@pytest.mark.parametrize(("key", "value"), [("max_factor", 0.5), ("depth", 0)])
def test_prefix_cache_refuses_limits_of_its_own(key: str, value: Any) -> None:
    with pytest.raises(BadParameters) as caught:
        made(PrefixCache, **{key: value})

    assert caught.value.key == key
