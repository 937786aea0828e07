"""The newest client of each model on one frontend, and when it last answered a health call."""

from dataclasses import dataclass, field

from sim.routing.client_cache.locks import FairLock
from sim.routing.request_path.route import Route


@dataclass(slots=True, eq=False)
class KeptClient:
    """The client of a route, kept for later: what LocalAI calls the stub of a model."""

    route: Route
    answered_ns: int | None = None
    """When it last answered a health call of the liveness check; None if it never did."""
    lock: FairLock = field(default_factory=FairLock)
    """Keeps two checks of this very client apart."""


class KeptClients:
    """One client per model at most: storing a newer one forgets the older."""

    __slots__ = ("_by_model",)

    def __init__(self) -> None:
        self._by_model: dict[str, KeptClient] = {}

    def newest(self, model: str) -> KeptClient | None:
        """Return the model's client."""
        return self._by_model.get(model)

    def store(self, model: str, route: Route) -> None:
        """Keep the route's client, which has not been asked for its health yet."""
        self._by_model[model] = KeptClient(route)

    def forget(self, model: str) -> None:
        """Keep no client of the model any more."""
        self._by_model.pop(model, None)
