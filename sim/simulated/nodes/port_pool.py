"""The port that a worker gives to a process: never one that was just in use, and the process's last one if possible.

A row, a client or a remembered probe outlives the process it speaks of by some seconds. If another model answers on
the same port by then, the call reaches the wrong model and nobody notices. So a port rests after its release, and
goes back to its last owner rather than to another.
"""

from dataclasses import dataclass
from itertools import chain

from sim.routing.errors import Unavailable
from sim.routing.ports import Clock
from sim.routing.replica import ReplicaKey
from sim.routing.units import NS_PER_S

LAST_PORT = 65535


@dataclass(slots=True)
class _Release:
    at_ns: int
    claimant: ReplicaKey | None


class PortPool:
    """The ports of one worker, each held by at most one replica.

    A released port is free again when the quarantine is over, for its last owner too. The owner's claim on it lasts
    for the affinity time, counted from the release, unless it takes another port meanwhile. Both end at the very
    instant. With both at 0 the pool gives out the lowest port that nobody holds, which was the behaviour before them.
    """

    __slots__ = ("_affinity_ns", "_clock", "_held", "_quarantine_ns", "_released", "_unused")

    def __init__(
        self,
        clock: Clock,
        first_port: int,
        last_port: int = LAST_PORT,
        quarantine_ns: int = 15 * NS_PER_S,
        affinity_ns: int = 5 * 60 * NS_PER_S,
    ) -> None:
        self._clock = clock
        self._quarantine_ns = quarantine_ns
        self._affinity_ns = affinity_ns
        self._unused = range(first_port, last_port + 1)
        self._held: dict[ReplicaKey, int] = {}
        self._released: dict[int, _Release] = {}

    def take(self, key: ReplicaKey) -> int:
        """Give the replica a port: its own, else a free one that nobody claims, else a new one, else a claimed one.

        The lowest goes first. Raises Unavailable if no port is free, and ValueError if the replica holds one.
        """
        if key in self._held:
            raise ValueError(f"{key} of {key.model} holds port {self._held[key]} already")
        claimants = self._claimants_of_free_ports()
        own = (port for port, claimant in claimants.items() if claimant == key)
        unclaimed = (port for port, claimant in claimants.items() if claimant is None)
        port = next(chain(own, unclaimed, self._unused, claimants), None)
        if port is None:
            raise Unavailable(f"no port is free on {key.node} for {key} of {key.model}")
        self._hold(key, port)
        return port

    def release(self, key: ReplicaKey) -> None:
        """Take the replica's port back, into quarantine. Raises KeyError if it holds none."""
        self._released[self._held.pop(key)] = _Release(self._clock.now_ns(), key)

    def _claimants_of_free_ports(self) -> dict[int, ReplicaKey | None]:
        now_ns = self._clock.now_ns()
        return {
            port: release.claimant if now_ns - release.at_ns < self._affinity_ns else None
            for port, release in sorted(self._released.items())
            if now_ns - release.at_ns >= self._quarantine_ns
        }

    def _hold(self, key: ReplicaKey, port: int) -> None:
        self._held[key] = port
        self._released.pop(port, None)
        if port in self._unused:
            self._unused = self._unused[1:]
        for release in self._released.values():
            if release.claimant == key:
                release.claimant = None
