"""How a row's in-flight count follows its requests: the reservation by a pick, and the tracking of each call.

A pick adds 1, the start of a call adds 1, its end takes 1, and the end of the client's first call takes back the
pick's 1. So a request that has a client of its own counts twice while it runs: 0, 1 (pick), 2 (start), 1, 0.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, NamedTuple

from sim.routing.errors import CallError, ModelNotLoaded, WrongModel
from sim.routing.ports import Backend, FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.decrements import Decrements


class Destination:
    """A replica that can serve, and the client that reaches it."""

    __slots__ = ("address", "backend", "key", "place")

    def __init__(self, key: ReplicaKey, address: str, backend: Backend) -> None:
        self.key = key
        self.address = address
        self.backend = backend
        self.place = f"{key.node}|{address}"
        """What the probe cache knows it by."""


@dataclass(frozen=True, slots=True)
class Counting:
    """How the requests of one frontend are counted in the registry, and when they cost a row."""

    ports: FrontendPorts
    reservation: "Reservation"
    on_registry_error: "OnRegistryError"
    model_missing: "ModelMissing"
    decrements: Decrements


class Route:
    """The way to one replica, with the 1 that its pick has added to the row; counts its calls there."""

    __slots__ = ("_counting", "_left_behind", "_reserved", "calls", "is_guarded", "seems_busy", "to")

    def __init__(self, counting: Counting, to: Destination) -> None:
        self.to = to
        self.calls = 0
        """Number of calls under way."""
        self.seems_busy = False
        """Whether a call has started since the last one ended: LocalAI's first idea of a busy client."""
        self.is_guarded = True
        """Whether a connection error of its calls still has an effect beyond the call; it has so once."""
        self._counting = counting
        self._reserved = True
        self._left_behind = False

    def release(self) -> None:
        """Give the reservation back, once: take 1 from the row that has this key now. Later calls do nothing."""
        if self._reserved:
            self._reserved = False
            self._counting.decrements.give_back(self._counting.ports, self.to.key, 1)
            if self._left_behind:
                self._take_up()

    def lose_guard(self) -> bool:
        """Return whether it was guarded, and guard it no longer."""
        was_guarded, self.is_guarded = self.is_guarded, False
        return was_guarded

    def leave(self) -> None:
        """Hear that the request ends before a call has been counted."""
        self._counting.reservation.when_left(self)

    def leave_behind(self) -> None:
        """Keep the reservation when its request has ended. A later call on this route may give it back."""
        if self._reserved and not self._left_behind:
            self._left_behind = True
            self._counting.ports.journal.left_behind(self.to.key, 1)

    async def predict(self, request: Request) -> None:
        """Serve the request on the replica, and count it as in flight meanwhile.

        The counts are given back before the call returns; if the caller leaves, they are given back on their own. If
        there is no row when the call starts, nothing is taken back at its end, not even the reservation.
        """
        counting, key, is_uncertain, has_left = self._counting, self.to.key, False, True
        registry = counting.ports.registry
        try:
            counted = await registry.increment(key)
        except CallError as error:
            counted, is_uncertain = False, True
            counting.on_registry_error(error, self)
        except BaseException:
            self.leave()
            raise
        self.calls += 1
        self.seems_busy = True
        try:
            await self.to.backend.predict(request)
            has_left = False
        except CallError as error:
            if isinstance(error, counting.model_missing):
                await self.remove_row(request, type(error).__name__)
            has_left = False
            raise
        finally:
            self.calls -= 1
            self.seems_busy = False
            if not counted:
                self._end_uncounted(is_uncertain)
            elif has_left:
                counting.decrements.give_back(counting.ports, key, self._taken_back())
            else:
                taken = self._taken_back()
                try:
                    await registry.decrement(key, taken)
                except CallError as error:
                    counting.decrements.when_failed(counting.ports, key, taken, error)

    def _taken_back(self) -> int:
        """Return by how much the row's count falls at the end of a call: the first one takes the reservation along."""
        if not self._reserved:
            return 1
        self._reserved = False
        if self._left_behind:
            self._take_up()
        return 2

    def _end_uncounted(self, is_uncertain: bool) -> None:
        """Leave the reservation to its strategy, unless there was no row: then nothing is taken back."""
        if is_uncertain:
            self.leave()
        else:
            self.leave_behind()

    def _take_up(self) -> None:
        """Tell that the reservation has been given back after all."""
        self._left_behind = False
        self._counting.ports.journal.left_behind(self.to.key, -1)

    async def remove_row(self, request: Request, cause: str) -> None:
        """Delete the replica's row, whatever its process is doing."""
        ports = self._counting.ports
        try:
            is_removed = await ports.registry.remove(self.to.key)
        except CallError as error:
            self._counting.on_registry_error(error, self)
            return
        if is_removed:
            ports.journal.row_removed(self.to.key, self.to.address, cause, request)


FindRoute = Callable[[Request], Coroutine[Any, Any, Route]]
"""Finds the route of a request; raises a CallError if there is no replica and none can be loaded."""


class Reservation(NamedTuple):
    """What becomes of a pick's 1 that no call has taken back."""

    when_left: Callable[[Route], None]
    """When the request leaves between the pick and its call."""
    when_next_is_routed: Callable[[Route], None]
    """When the frontend routes the next request of the model."""


def keep(_route: Route) -> None:
    """Let the row count the request for as long as it does."""


FIRST_CALL = Reservation(Route.leave_behind, keep)
"""Only the end of the client's first call takes it back. LocalAI's first way."""

FIRST_CALL_OR_NEXT_ROUTE = Reservation(Route.leave_behind, Route.release)
"""So does the next route of the model on the frontend, even while the request is running. LocalAI's later way."""

REQUEST_SCOPE = Reservation(Route.release, keep)
"""It never outlasts its request. Repaired."""

OnRegistryError = Callable[[CallError, Route], None]
"""Hears that the registry did not answer a write about the route; returns if the request is to go on."""


def fail_open(_error: CallError, _route: Route) -> None:
    """Go on, uncounted. LocalAI's way."""


def fail_closed(error: CallError, route: Route) -> None:
    """Fail the request with the registry's error."""
    route.leave()
    raise error


ModelMissing = tuple[type[CallError], ...]
"""The errors of a call that cost the replica its row."""

ROW_STAYS: ModelMissing = ()
"""A process that turns out not to hold the model keeps its row, and every call to it fails. LocalAI's first way."""

ROW_GOES: ModelMissing = (ModelNotLoaded, WrongModel)
"""It loses its row to the first call that finds out. LocalAI's later way."""
