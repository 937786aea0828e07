"""What a routing policy is: the whole decision which of a model's replicas serves a request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from sim.routing.request import Chain

T = TypeVar("T")


class PolicyError(Exception):
    """A policy failed, or answered what no policy may answer. It is no CallError: it stops the run."""


class ReplicaView(NamedTuple):
    """A replica as the registry shows it to a policy, read-only."""

    id: str
    """Of the row. A replica that is loaded again gets a new one."""
    node: str
    replica_index: int
    """Among the replicas of this model on this node, from 0."""
    in_flight: int
    """Reservations and running requests, as the registry counts them."""
    last_used_ns: int
    """When a request was last sent there."""
    available_vram_bytes: int
    """Of the node."""
    capacity: float = 1.0
    """How fast it serves beside the model's other replicas, as its node has announced; 1 where none has."""


class RequestView(NamedTuple):
    """A request as far as a router knows it before it is served, read-only."""

    id: int
    """Its place in the order of arrival, from 0."""
    model: str
    prompt_tokens: int
    """0 where the workload gives none."""
    chain: Chain = ()
    """Blocks of the prompt from its beginning, each as a hash of all up to it; none where the workload gives none."""


class Policy(Protocol):
    """What a user writes, as an object; a plain function of the same arguments will do as well.

    It may also have `sent(replica, request)`, which is called when a picked replica is about to get its request, and
    `ended(replica, request, outcome, duration_ns)`, which is called when that request has ended. The outcome is
    `completed`, `failed` or `cancelled`, and the duration runs from `sent` to the end.
    """

    def pick(self, replicas: Sequence[ReplicaView], request: RequestView, /) -> ReplicaView | None:
        """Return one of the replicas, or None to take none of them; `replicas` is in the registry's order."""


class Random(Protocol):
    """The methods of `random.Random` that a policy may draw with."""

    def random(self) -> float:
        """Return a number from 0 to below 1."""

    def uniform(self, a: float, b: float, /) -> float:
        """Return a number between a and b."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1, /) -> int:
        """Return a whole number of the range."""

    def choice(self, seq: Sequence[T], /) -> T:
        """Return one of the entries."""

    def choices(self, population: Sequence[T], weights: Sequence[float] | None = None, *, k: int = 1) -> list[T]:
        """Return `k` entries, with replacement."""

    def sample(self, population: Sequence[T], k: int) -> list[T]:
        """Return `k` different entries."""

    def shuffle(self, x: list[Any], /) -> None:
        """Put the list in random order, in place."""

    def expovariate(self, lambd: float, /) -> float:
        """Return an exponential number of that rate."""


@dataclass(frozen=True, slots=True)
class PolicyClock:
    """The time of the frontend that a policy decides for."""

    now_ns: Callable[[], int]
    """Returns the nanoseconds since the start of the run."""


@dataclass(frozen=True, slots=True)
class PolicyContext:
    """What a policy is made from, once for each frontend."""

    frontend: int
    """Index of the frontend that it decides for."""
    clock: PolicyClock
    random: Random
    """Draws of this policy in this frontend alone, the same in every run of one seed."""
    parameters: Any
    """The policy's own keys in the scenario: a mapping, or an instance of the dataclass that the class declares."""
