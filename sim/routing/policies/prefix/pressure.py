"""How often requests had to leave the replica that knows their prompt: a sign that a model could do with one more."""

from collections import deque

from sim.routing.policies.prefix.index import Clock
from sim.routing.units import NS_PER_S


class Pressure:
    """How many requests of each model were kept from their hot replica lately, as one frontend saw it.

    A record counts until it is as old as the window, that instant included.
    """

    __slots__ = ("_clock", "_recorded_ns", "_window_ns")

    def __init__(self, clock: Clock, window_ns: int = 60 * NS_PER_S) -> None:
        self._clock = clock
        self._window_ns = window_ns
        self._recorded_ns: dict[str, deque[int]] = {}

    def record(self, model: str) -> None:
        """Count one for the model, from now on."""
        self._recent_ns(model).append(self._clock.now_ns())

    def count(self, model: str) -> int:
        """Return the number of the model's records in the window."""
        return len(self._recent_ns(model))

    def reset(self, model: str) -> None:
        """Forget the model's records."""
        self._recorded_ns.pop(model, None)

    def _recent_ns(self, model: str) -> deque[int]:
        recorded_ns = self._recorded_ns.setdefault(model, deque())
        oldest_ns = self._clock.now_ns() - self._window_ns
        while recorded_ns and recorded_ns[0] < oldest_ns:
            recorded_ns.popleft()
        return recorded_ns
