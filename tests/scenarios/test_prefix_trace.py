"""Prefix routing on a public trace of prompts: counts that follow from the trace alone."""

from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from sim.prompt_cache import PromptCache
from sim.routing.policies.port import ReplicaView, RequestView
from sim.routing.policies.prefix.prefix_then_balance import PrefixThenBalance
from sim.scenario.text.trace_file import Trace, TraceColumns, read_trace
from tests.hand_clock import HandClock
from tests.routing.policies.views import loads, made

FILE = Path(__file__).parents[2] / "scenarios" / "traces" / "mooncake_conversation.csv"
REQUESTS, BLOCKS = 12_031, 288_500
HITS = {1: 105_710, 2: 78_076, 4: 55_323, 8: 39_315}
"""Blocks that a backend has seen if request i goes to backend i mod k and all keep everything; counted elsewhere."""


@cache
def trace() -> Trace:
    return read_trace(FILE, TraceColumns("arrival_s", "context_tokens", "generated_tokens", "prompt_blocks"))


class Backends:
    """Backends that keep every block."""

    def __init__(self, count: int) -> None:
        self.hits = 0
        self._caches = [PromptCache(BLOCKS) for _ in range(count)]

    def serve(self, place: int, chain: tuple[int, ...]) -> None:
        self.hits += self._caches[place].leading(chain)
        self._caches[place].keep(chain)


def test_the_trace_is_the_whole_of_it() -> None:
    assert len(trace().chains) == REQUESTS
    assert sum(map(len, trace().chains)) == BLOCKS
    assert {chain[0] for chain in trace().chains} == {0}


@pytest.mark.parametrize("count", HITS)
def test_backends_in_turn_have_seen_so_many_blocks(count: int) -> None:
    backends = Backends(count)

    for number, chain in enumerate(trace().chains):
        backends.serve(number % count, chain)

    assert backends.hits == HITS[count]


IN_FLIGHT = 8
"""The last requests, which have not ended yet."""


def routed(max_excess: int | None) -> tuple[Counter[str], int]:
    """Route all requests over four backends; return the requests of each, and the blocks that they had seen."""
    clock, nodes = HandClock(), "abcd"
    policy, backends = made(PrefixThenBalance, clock=clock, max_excess=max_excess), Backends(len(nodes))
    shares: Counter[str] = Counter()
    last: list[str] = []
    for number, chain in enumerate(trace().chains):
        clock.t_ns = int(trace().arrival_ns[number])
        replicas: list[ReplicaView] = loads(**{node: last.count(node) for node in nodes})
        request = RequestView(number, "m", 0, chain)
        picked = policy.pick(replicas, request)
        policy.sent(picked, request)
        backends.serve(nodes.index(picked.node), chain)
        shares[picked.node] += 1
        last = [*last, picked.node][-IN_FLIGHT:]
    return shares, backends.hits


def test_the_longest_prefix_alone_sends_all_to_one_backend_which_has_seen_whatever_any_has() -> None:
    shares, hits = routed(max_excess=None)

    assert list(shares.values()) == [REQUESTS]
    assert hits == HITS[1]


def test_a_guard_on_the_load_ends_the_herd_and_finds_more_than_turns_do() -> None:
    shares, hits = routed(max_excess=2)

    # Of the last 8, a backend gets its fourth only while the least loaded has one or more.
    assert max(shares.values()) <= REQUESTS / 2
    assert HITS[4] < hits < HITS[1]
