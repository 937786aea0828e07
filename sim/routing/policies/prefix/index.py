"""Which replica saw the beginning of a prompt lately, and so may still hold its key-value cache.

A prompt is named by a chain of hashes, one a block, each over all that goes before it. Prompts that begin alike have
chains that begin alike.
"""

import math
from collections import Counter, OrderedDict
from collections.abc import Container, Iterable
from hashlib import blake2b
from typing import NamedTuple, Protocol

from sim.routing.replica import ReplicaKey
from sim.routing.request import Chain
from sim.routing.units import NS_PER_S

BLOCK_BYTES = 256

MAX_BLOCKS = 64


def prefix_chain(model: str, prompt: bytes) -> Chain:
    """Return the hashes of the prompt's first 64 blocks of 256 bytes; the last block may be short.

    The model's name is the salt, so no two models share a hash. An empty prompt has an empty chain. LocalAI hashes
    with xxHash64, which the standard library lacks; only equality of hashes matters, so BLAKE2b of 64 bits serves.
    """
    digest = _digest(model.encode())
    hashes = []
    for start in range(0, min(len(prompt), BLOCK_BYTES * MAX_BLOCKS), BLOCK_BYTES):
        digest = _digest(digest + prompt[start : start + BLOCK_BYTES])
        hashes.append(int.from_bytes(digest, "little"))
    return tuple(hashes)


def _digest(content: bytes) -> bytes:
    return blake2b(content, digest_size=8).digest()


class Clock(Protocol):
    """Tells the time."""

    def now_ns(self) -> int:
        """Return the nanoseconds since some instant."""


class Match(NamedTuple):
    """The replica that saw the most of a prompt's beginning."""

    replica: ReplicaKey
    ratio: float
    """Blocks of the chain that it saw, as a share of all its blocks: above 0, at most 1."""


class _Sighting(NamedTuple):
    replica: ReplicaKey
    seen_ns: int
    share: int
    """What each node of the sighting adds to the replica's sum."""


class PrefixIndex:
    """What one frontend remembers of the chains it has routed: for each node, the last replica and when.

    A node is a hash: as a hash stands for the whole path to it, the prefix tree is kept flat. Nodes go once they are
    older than the TTL, strictly; there may be any number of them.

    A node weighs 1 when it is seen and half as much after each half-life, a positive time. All weights shrink by the
    same factor, so what is summed is the weight as it grows backwards from a fixed instant, 2 ** (time / half-life).
    The sums are integers: adding and taking away leaves no residue, and replicas that tie do so exactly. The mantissa
    is a float's, which is good enough for weights that only put replicas in order.
    """

    __slots__ = ("_clock", "_half_life_ns", "_nodes", "_origin_ns", "_sums", "_ttl_ns")

    def __init__(self, clock: Clock, ttl_ns: int = 300 * NS_PER_S, half_life_ns: int = 120 * NS_PER_S) -> None:
        self._clock = clock
        self._ttl_ns = ttl_ns
        self._half_life_ns = half_life_ns
        self._origin_ns = clock.now_ns()
        self._nodes: OrderedDict[int, _Sighting] = OrderedDict()
        """The longest unseen first."""
        self._sums: Counter[ReplicaKey] = Counter()

    def observe(self, chain: Chain, replica: ReplicaKey) -> None:
        """Remember that the replica was given the chain now: it becomes the owner of every node on the way."""
        self._forget_expired()
        now_ns = self._clock.now_ns()
        sighting = _Sighting(replica, now_ns, self._share(now_ns))
        for node in chain:
            if node in self._nodes:
                self._forget(node)
            self._nodes[node] = sighting
            self._sums[replica] += sighting.share

    def match(self, chain: Chain, candidates: Container[ReplicaKey]) -> Match | None:
        """Return the owner of the chain's deepest node that belongs to a candidate; None if there is none."""
        self._forget_expired()
        for depth in range(len(chain), 0, -1):
            sighting = self._nodes.get(chain[depth - 1])
            if sighting is not None and sighting.replica in candidates:
                return Match(sighting.replica, depth / len(chain))
        return None

    def forget(self, replica: ReplicaKey) -> None:
        """Forget what the replica was given."""
        for node in [node for node, sighting in self._nodes.items() if sighting.replica == replica]:
            self._forget(node)

    def weight(self, replica: ReplicaKey) -> float:
        """Return the sum over the replica's nodes of 0.5 ** (age / half-life)."""
        self._forget_expired()
        return self._sums[replica] / self._share(self._clock.now_ns())

    def cold_order(self, candidates: Iterable[ReplicaKey]) -> list[ReplicaKey]:
        """Return the candidates by weight, the lightest first; ties go by node, then by replica index."""
        self._forget_expired()
        return sorted(candidates, key=lambda key: (self._sums[key], key.node, key.replica_index))

    def _share(self, at_ns: int) -> int:
        half_lives, rest_ns = divmod(at_ns - self._origin_ns, self._half_life_ns)
        return int(math.ldexp(2.0 ** (rest_ns / self._half_life_ns), 52)) << half_lives

    def _forget_expired(self) -> None:
        oldest_ns = self._clock.now_ns() - self._ttl_ns
        while self._nodes:
            node = next(iter(self._nodes))
            if self._nodes[node].seen_ns >= oldest_ns:
                return
            self._forget(node)

    def _forget(self, node: int) -> None:
        sighting = self._nodes.pop(node)
        self._sums[sighting.replica] -= sighting.share
