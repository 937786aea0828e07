"""Pickers as router authors write them who have never seen the corpus: sound ones first, then ones with a slip."""

from typing import Any


class AnyOfThem:
    """One at random."""

    def __init__(self, context: Any) -> None:
        self.random = context.random

    def pick(self, replicas: Any, request: Any) -> Any:
        return self.random.choice(replicas) if replicas else None


class BetterOfTwo:
    """The less loaded of two drawn at random."""

    def __init__(self, context: Any) -> None:
        self.random = context.random

    def pick(self, replicas: Any, request: Any) -> Any:
        two = self.random.sample(replicas, min(2, len(replicas)))
        return min(two, key=lambda replica: replica.in_flight, default=None)


class AnyOfTheIdlest:
    """One of the least loaded, at random."""

    def __init__(self, context: Any) -> None:
        self.random = context.random

    def pick(self, replicas: Any, request: Any) -> Any:
        fewest = min((replica.in_flight for replica in replicas), default=0)
        idlest = [replica for replica in replicas if replica.in_flight == fewest]
        return self.random.choice(idlest) if idlest else None


class InTurnById:
    """Each in its turn, in the order of their ids, from a place of each frontend's own."""

    def __init__(self, context: Any) -> None:
        self.last: dict[str, str] = {}
        self.random = context.random

    def pick(self, replicas: Any, request: Any) -> Any:
        by_id = sorted(replicas, key=lambda replica: replica.id)
        if not by_id:
            return None
        last = self.last.get(request.model) or self.random.choice(by_id).id
        chosen = next((replica for replica in by_id if replica.id > last), by_id[0])
        self.last[request.model] = chosen.id
        return chosen


class InTurnOverTheFirstOnes:
    """Slip: it asks for the list once, and goes round that."""

    def __init__(self, context: Any) -> None:
        self.ids: list[str] = []
        self.turn = 0

    def pick(self, replicas: Any, request: Any) -> Any:
        if not self.ids:
            self.ids = [replica.id for replica in replicas]
        known = [replica for replica in replicas if replica.id in self.ids]
        self.turn += 1
        return known[self.turn % len(known)] if known else None


def first_of_the_idlest(replicas: Any) -> Any:
    """Slip: among equals it is always the first."""
    best = None
    for replica in replicas:
        if best is None or replica.in_flight < best.in_flight:
            best = replica
    return best


class IdlestTenSecondsAgo:
    """Slip: it reads the loads every ten seconds, and goes by that reading until the next."""

    def __init__(self, context: Any) -> None:
        self.clock = context.clock
        self.random = context.random
        self.read_at: int | None = None
        self.loads: dict[str, int] = {}

    def pick(self, replicas: Any, request: Any) -> Any:
        now = self.clock.now_ns()
        if self.read_at is None or now - self.read_at >= 10_000_000_000:
            self.read_at = now
            self.loads = {replica.id: replica.in_flight for replica in replicas}
        if not replicas:
            return None
        fewest = min(self.loads.get(replica.id, 0) for replica in replicas)
        return self.random.choice([replica for replica in replicas if self.loads.get(replica.id, 0) == fewest])


class Busiest:
    """Slip: the sign of the comparison is turned round."""

    def pick(self, replicas: Any, request: Any) -> Any:
        return max(replicas, key=lambda replica: replica.in_flight, default=None)
