"""How a row's count is given back when a request ends, and what becomes of a count that the registry did not take."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sim.routing.errors import CallError, NotCommitted
from sim.routing.ports import FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.units import NS_PER_MS

PAUSES_NS: Sequence[int] = tuple(min(100 * 2**attempt, 10_000) * NS_PER_MS for attempt in range(10))
"""Before each further attempt: 0.1 s, 0.2 s and so on, at most 10 s, in all 43 s."""


class Decrements(NamedTuple):
    """What a frontend does about the counts that its requests give back."""

    give_back: Callable[[FrontendPorts, ReplicaKey, int], None]
    """Take so many from the row, without a caller that waits."""
    when_failed: Callable[[FrontendPorts, ReplicaKey, int, CallError], None]
    """Called if the registry did not answer; is given how many should have been taken from the row."""


def _give_back_once(ports: FrontendPorts, key: ReplicaKey, count: int) -> None:
    ports.registry.give_back(key, count)


def _ignore(_ports: FrontendPorts, _key: ReplicaKey, _count: int, _error: CallError) -> None:
    """Leave the counts on the row."""


def _give_back(ports: FrontendPorts, key: ReplicaKey, count: int) -> None:
    # A frontend that has crashed starts nothing any more, and then the counts stay.
    ports.journal.left_behind(key, count)
    ports.runtime.spawn(_decrement(ports, key, count), f"give back {key}")


async def _decrement(ports: FrontendPorts, key: ReplicaKey, count: int) -> None:
    ports.journal.left_behind(key, -count)
    try:
        await ports.registry.decrement(key, count)
    except CallError as error:
        _retry(ports, key, count, error)


def _retry(ports: FrontendPorts, key: ReplicaKey, count: int, error: CallError) -> None:
    """Try again in the background, unless the counts may have been taken: one too low is worse than one too high."""
    if isinstance(error, NotCommitted):
        ports.runtime.spawn(_take_all(ports, key, count), f"give back {key} again")


async def _take_all(ports: FrontendPorts, key: ReplicaKey, count: int) -> None:
    for _ in range(count):
        await _take_one(ports, key)


async def _take_one(ports: FrontendPorts, key: ReplicaKey) -> None:
    for pause_ns in PAUSES_NS:
        await ports.runtime.sleep(pause_ns)
        # This try takes the lost count back. If it fails, the registry reports the count as lost anew.
        ports.journal.left_behind(key, -1)
        try:
            await ports.registry.decrement(key, 1)
        except NotCommitted:
            continue
        except CallError:
            pass
        return


IGNORED = Decrements(_give_back_once, _ignore)
"""A count that could not be given back stays. LocalAI's way."""

RETRIED = Decrements(_give_back, _retry)
"""It is tried again, as long as the registry is known not to have done it. Repaired."""
