"""Takes replicas in turn, by name, however their list is ordered and whoever joins or leaves it."""

from collections.abc import Sequence

from sim.routing.policies.port import ReplicaView

_Name = tuple[str, int]


def name_of(replica: ReplicaView) -> _Name:
    """Return what a replica keeps when its row is written anew: its node, and its index there."""
    return (replica.node, replica.replica_index)


class Rotation:
    """Goes round and round through the replicas in the order of their names."""

    def __init__(self) -> None:
        self._last: _Name = ("", -1)
        """Name of the one that was taken last, though it may have gone; at first, one before all names."""

    def next(self, replicas: Sequence[ReplicaView]) -> ReplicaView | None:
        """Return the first one after the last, or the first of all if there is none after it; None of none."""
        following = min(replicas, key=lambda one: (name_of(one) <= self._last, name_of(one)), default=None)
        if following is not None:
            self.moved_to(following)
        return following

    def moved_to(self, replica: ReplicaView) -> None:
        """Go on after this one."""
        self._last = name_of(replica)
