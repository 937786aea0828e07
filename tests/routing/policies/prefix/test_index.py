"""The chain of a prompt and the index of chains, against LocalAI's vectors and a tree of paths."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.routing.policies.prefix.index import BLOCK_BYTES, Match, PrefixIndex, prefix_chain
from sim.routing.replica import ReplicaKey
from sim.routing.request import Chain
from tests.hand_clock import HandClock

SECOND = 10**9
TTL = 5 * 60 * SECOND
HALF_LIFE = 2 * 60 * SECOND

A, B, C = (ReplicaKey(node, "m", 0) for node in "abc")
A1 = ReplicaKey("a", "m", 1)


@pytest.mark.parametrize(
    ("prompt_bytes", "blocks"), [(0, 0), (1, 1), (256, 1), (257, 2), (16_383, 64), (16_384, 64), (16_385, 64)]
)
def test_a_chain_has_a_hash_for_each_block_begun_and_at_most_64(prompt_bytes: int, blocks: int) -> None:
    chain = prefix_chain("m", b"x" * prompt_bytes)

    assert len(chain) == blocks


def test_bytes_beyond_the_64th_block_change_nothing() -> None:
    beginning = b"x" * 16_384

    chains = prefix_chain("m", beginning + b"y"), prefix_chain("m", beginning + b"z" * 999)

    assert chains[0] == chains[1] == prefix_chain("m", beginning)


def test_a_chain_is_the_same_in_every_process() -> None:
    chain = prefix_chain("m", b"x" * 257)

    assert chain == (5402997501121389224, 5942927537795981918)


def test_no_two_models_share_a_hash() -> None:
    chains = prefix_chain("m", b"x" * 999), prefix_chain("n", b"x" * 999)

    assert not [node for node in chains[0] if node in chains[1]]


prompts = st.lists(st.sampled_from([b"x", b"y"]), max_size=5).map(
    lambda letters: b"".join(letter * BLOCK_BYTES for letter in letters)
)
tails = st.sampled_from([b"", b"x", b"xx", b"y"])


@given(prompts, tails, prompts, tails)
def test_two_chains_agree_as_long_as_their_blocks_do_and_nowhere_after(
    one: bytes, one_tail: bytes, other: bytes, other_tail: bytes
) -> None:
    first, second = one + one_tail, other + other_tail

    chains = prefix_chain("m", first), prefix_chain("m", second)

    pairs = list(zip(blocks_of(first), blocks_of(second), strict=False))
    alike = next((place for place, (left, right) in enumerate(pairs) if left != right), len(pairs))
    assert chains[0][:alike] == chains[1][:alike]
    assert not [node for node in chains[0][alike:] if node in chains[1]]


def blocks_of(prompt: bytes) -> list[bytes]:
    return [prompt[start : start + BLOCK_BYTES] for start in range(0, len(prompt), BLOCK_BYTES)]


# id: (chains observed in turn, chain asked for, candidates, expected); the first three are LocalAI's own.
MATCHES: dict[str, tuple[list[tuple[Chain, ReplicaKey]], Chain, list[ReplicaKey], Match | None]] = {
    "I1 a longer prompt": ([((1, 2, 3, 4), A)], (1, 2, 3, 4, 5), [A, B], Match(A, 0.8)),
    "I2 a prompt that parts": ([((1, 2, 3, 4), A)], (1, 2, 3, 9), [A, B], Match(A, 0.75)),
    "I3 the owner is no candidate": ([((1, 2, 3, 4), A)], (1, 2, 3, 4), [B], None),
    "the whole prompt": ([((1, 2, 3, 4), A)], (1, 2, 3, 4), [A], Match(A, 1.0)),
    "a beginning of what was seen": ([((1, 2, 3, 4), A)], (1, 2), [A], Match(A, 1.0)),
    "another beginning": ([((1, 2, 3, 4), A)], (8, 9), [A], None),
    "nothing seen": ([], (1, 2), [A], None),
    "no candidate": ([((1,), A)], (1,), [], None),
    "an empty chain": ([((1,), A)], (), [A], None),
    "an empty chain seen": ([((), A)], (1,), [A], None),
    "the last writer owns shared nodes": ([((1, 2), A), ((1, 3), B)], (1, 9), [A, B], Match(B, 0.5)),
    "the others stay": ([((1, 2), A), ((1, 3), B)], (1, 2), [A, B], Match(A, 1.0)),
    "a shorter match of a candidate": ([((1, 2), A), ((1,), B)], (1, 2), [B], Match(B, 0.5)),
    "another replica of the node is another owner": ([((1, 2), A)], (1, 2), [A1], None),
}


@pytest.mark.parametrize(("observed", "asked", "candidates", "expected"), MATCHES.values(), ids=MATCHES)
def test_the_match_is(
    observed: list[tuple[Chain, ReplicaKey]], asked: Chain, candidates: list[ReplicaKey], expected: Match | None
) -> None:
    index = PrefixIndex(HandClock())
    for chain, replica in observed:
        index.observe(chain, replica)

    match = index.match(asked, candidates)

    assert match == expected


@pytest.mark.parametrize(("age_ns", "expected"), [(TTL - 1, Match(A, 1.0)), (TTL, Match(A, 1.0)), (TTL + 1, None)])
def test_a_node_goes_when_it_is_older_than_the_ttl(age_ns: int, expected: Match | None) -> None:
    clock = HandClock(7)
    index = PrefixIndex(clock)
    index.observe((1, 2), A)

    clock.t_ns += age_ns

    assert index.match((1, 2), [A]) == expected
    assert (index.weight(A) > 0) is (expected is not None)


def test_what_is_seen_again_lives_on_and_the_rest_goes() -> None:
    clock = HandClock()
    index = PrefixIndex(clock)
    index.observe((1, 2), A)
    clock.t_ns = TTL
    index.observe((1,), A)

    clock.t_ns = TTL + 1

    assert index.match((1, 2), [A]) == Match(A, 0.5)


@pytest.mark.parametrize(
    ("age_ns", "expected"), [(0, 3.0), (HALF_LIFE, 1.5), (2 * HALF_LIFE, 0.75), (TTL, 3 * 0.5**2.5), (TTL + 1, 0.0)]
)
def test_a_weight_halves_every_2_min_until_its_nodes_go(age_ns: int, expected: float) -> None:
    clock = HandClock(7)
    index = PrefixIndex(clock)
    index.observe((1, 2, 3), A)

    clock.t_ns += age_ns

    assert index.weight(A) == pytest.approx(expected, rel=1e-12)


def test_a_node_weighs_for_its_last_writer_only() -> None:
    index = PrefixIndex(HandClock())
    index.observe((1, 2, 3), A)
    index.observe((1, 2, 9), B)

    weights = [index.weight(replica) for replica in (A, B, C)]

    assert weights == [1.0, 3.0, 0.0]


# id: (nodes seen on each replica and how many half-lives ago, the oldest first; expected order of A1, C, B, A)
COLD_ORDERS: dict[str, tuple[list[tuple[int, ReplicaKey, int]], list[ReplicaKey]]] = {
    "nothing seen: by node, then by replica": ([], [A, A1, B, C]),
    "the lightest first": ([(3, A, 0), (1, B, 0), (2, C, 0)], [A1, B, C, A]),
    "an old sighting weighs less": ([(3, A, 1), (2, C, 0)], [A1, B, A, C]),
    "a tie over different ages goes by node": ([(4, C, 2), (2, B, 1), (1, A, 0)], [A1, A, B, C]),
    "what has expired does not weigh": ([(64, A, 3), (1, C, 1)], [A, A1, B, C]),
}


@pytest.mark.parametrize(("sightings", "expected"), COLD_ORDERS.values(), ids=COLD_ORDERS)
def test_the_cold_order_is(sightings: list[tuple[int, ReplicaKey, int]], expected: list[ReplicaKey]) -> None:
    clock = HandClock()
    index = PrefixIndex(clock)
    for number, (nodes, replica, half_lives_ago) in enumerate(sightings):
        clock.t_ns = (3 - half_lives_ago) * HALF_LIFE
        index.observe(tuple(range(100 * number, 100 * number + nodes)), replica)
    clock.t_ns = 3 * HALF_LIFE

    order = index.cold_order([A1, C, B, A])

    assert order == expected


class PathTree:
    """The same index told plainly: every path is kept with its last writer, and all of them are asked each time."""

    def __init__(self, ttl_ns: int) -> None:
        self._ttl_ns = ttl_ns
        self._paths: dict[tuple[bytes, ...], tuple[ReplicaKey, int]] = {}

    def observe(self, blocks: list[bytes], replica: ReplicaKey, now_ns: int) -> None:
        for depth in range(1, len(blocks) + 1):
            self._paths[tuple(blocks[:depth])] = replica, now_ns

    def match(self, blocks: list[bytes], candidates: list[ReplicaKey], now_ns: int) -> Match | None:
        found = None
        for depth in range(1, len(blocks) + 1):
            replica, seen_ns = self._paths.get(tuple(blocks[:depth]), (None, 0))
            if replica in candidates and now_ns - seen_ns <= self._ttl_ns:
                found = Match(replica, depth / len(blocks))
        return found

    def weight(self, replica: ReplicaKey, now_ns: int) -> float:
        ages_ns = [now_ns - seen_ns for owner, seen_ns in self._paths.values() if owner == replica]
        return math.fsum(0.5 ** (age_ns / HALF_LIFE) for age_ns in ages_ns if age_ns <= self._ttl_ns)


replicas = st.sampled_from([A, A1, B])
sighting_lists = st.lists(st.tuples(st.integers(0, 3), prompts, replicas), max_size=15)
"""Units of time to wait, and the prompt that then goes to the replica."""


@given(sighting_lists, prompts, st.lists(replicas, max_size=3))
def test_match_weight_and_order_are_those_of_a_tree_of_paths(
    sightings: list[tuple[int, bytes, ReplicaKey]], asked: bytes, candidates: list[ReplicaKey]
) -> None:
    clock = HandClock()
    index, tree = PrefixIndex(clock, ttl_ns=2 * HALF_LIFE), PathTree(ttl_ns=2 * HALF_LIFE)
    for half_lives, prompt, replica in sightings:
        clock.t_ns += half_lives * HALF_LIFE
        index.observe(prefix_chain("m", prompt), replica)
        tree.observe(blocks_of(prompt), replica, clock.t_ns)

    match = index.match(prefix_chain("m", asked), candidates)
    weights = [index.weight(replica) for replica in (A, A1, B)]
    order = index.cold_order([B, A1, A])

    assert match == tree.match(blocks_of(asked), candidates, clock.t_ns)
    assert weights == [tree.weight(replica, clock.t_ns) for replica in (A, A1, B)]
    assert order == sorted([A, A1, B], key=lambda key: tree.weight(key, clock.t_ns))


@given(sighting_lists, st.integers(1, TTL))
def test_at_any_instants_a_weight_is_the_sum_over_the_live_nodes(
    sightings: list[tuple[int, bytes, ReplicaKey]], unit_ns: int
) -> None:
    clock = HandClock()
    index, tree = PrefixIndex(clock), PathTree(TTL)
    for units, prompt, replica in sightings:
        clock.t_ns += units * unit_ns
        index.observe(prefix_chain("m", prompt), replica)
        tree.observe(blocks_of(prompt), replica, clock.t_ns)

    weights = [index.weight(replica) for replica in (A, A1, B)]

    assert weights == pytest.approx([tree.weight(replica, clock.t_ns) for replica in (A, A1, B)], rel=1e-12)


def test_what_a_replica_was_given_can_be_forgotten_and_nothing_else() -> None:
    index = PrefixIndex(HandClock())
    index.observe((1, 2), A)
    index.observe((1, 3), B)

    index.forget(A)

    assert index.match((1, 2), [A, B]) == Match(B, 0.5)
    assert (index.weight(A), index.weight(B)) == (0.0, 2.0)
