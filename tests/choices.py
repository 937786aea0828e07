"""Choices that tests hand to a registry."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sim.routing.policies.best_replica import ChooseBest, pick_best_replica
from sim.routing.policies.choose import AnyReplica
from sim.routing.replica import ReplicaKey

BEST = ChooseBest()


@dataclass(frozen=True)
class Prefer:
    """Takes one replica whatever its load; the least loaded if that one is not there. SQL knows no such order."""

    key: ReplicaKey
    nodes: Collection[str] = ()
    order: str | None = None

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        preferred = next((replica for replica in replicas if replica.key == self.key), None)
        return preferred or pick_best_replica(replicas)
