"""Who is where while a run goes on: which requests are at each replica, and who has had each lock of a frontend."""

from sim.measure.story.steps import Ahead
from sim.observer import Observer
from sim.routing.outcomes import Outcome
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request


class Queues(Observer):
    """Follows the requests that have been sent to a replica, in the order of their routes, until their service ends."""

    def __init__(self) -> None:
        self._at: dict[ReplicaKey, dict[int, bool]] = {}
        """By replica: the requests there, and whether each is being served."""
        self._where: dict[int, ReplicaKey] = {}

    def at(self, key: ReplicaKey) -> tuple[Ahead, ...]:
        """Return the requests that are at the replica now."""
        return tuple(Ahead(request, is_served) for request, is_served in self._at.get(key, {}).items())

    def routed(self, request: Request, key: ReplicaKey) -> None:
        self._where[request.id] = key
        self._at.setdefault(key, {})[request.id] = False

    def served_from(self, request: Request) -> None:
        # A call that arrives twice may be served when its request has ended.
        if request.id in self._where:
            self._at[self._where[request.id]][request.id] = True

    def served_until(self, request: Request) -> None:
        self._leave(request)

    def retried(self, request: Request, key: ReplicaKey, cause: str) -> None:
        self._leave(request)

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        self._leave(request)

    def _leave(self, request: Request) -> None:
        key = self._where.pop(request.id, None)
        if key is not None:
            del self._at[key][request.id]


class LockHolders(Observer):
    """Keeps track of who has held each lock of a frontend since `forget` was called last."""

    def __init__(self) -> None:
        self._holding: dict[tuple[int, str, int], None] = {}
        """Frontend, lock and request."""
        self._have_held: dict[tuple[int, str, int], None] = {}

    def since(self, frontend: int, lock: str) -> tuple[Ahead, ...]:
        """Return the requests that have held the lock since `forget`; those that still do are marked."""
        held = (key for key in self._have_held if key[:2] == (frontend, lock))
        return tuple(Ahead(key[2], key in self._holding) for key in held)

    def forget(self) -> None:
        """Begin anew with those that hold a lock now."""
        self._have_held = dict(self._holding)

    def lock_taken(self, request: Request, lock: str) -> None:
        key = (request.frontend, lock, request.id)
        self._holding[key] = self._have_held[key] = None

    def lock_released(self, request: Request, lock: str) -> None:
        self._holding.pop((request.frontend, lock, request.id), None)
