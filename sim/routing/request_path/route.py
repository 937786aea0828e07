"""How a row's in-flight count follows its requests: the reservation by a pick, and the tracking of each call.

A pick adds 1, the start of a call adds 1, its end takes 1, and the end of the client's first call takes back the
pick's 1. So a request that has a client of its own counts twice while it runs: 0, 1 (pick), 2 (start), 1, 0.
"""

from sim.routing.errors import ModelNotLoaded, WrongModel
from sim.routing.ports import Backend, FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request


class Destination:
    """A replica that can serve, and the client that reaches it."""

    __slots__ = ("address", "backend", "key", "place")

    def __init__(self, key: ReplicaKey, address: str, backend: Backend) -> None:
        self.key = key
        self.address = address
        self.backend = backend
        self.place = f"{key.node}|{address}"
        """What the probe cache knows it by."""


class Route:
    """The way to one replica, with the 1 that its pick has added to the row; counts its calls there."""

    __slots__ = ("_left_behind", "_ports", "_reserved", "to")

    def __init__(self, ports: FrontendPorts, to: Destination) -> None:
        self.to = to
        self._ports = ports
        self._reserved = True
        self._left_behind = False

    def release(self) -> None:
        """Give the reservation back, once: take 1 from the row that has this key now. Later calls do nothing."""
        if self._reserved:
            self._reserved = False
            self._ports.registry.give_back(self.to.key, 1)
            if self._left_behind:
                self._take_up()

    async def predict(self, request: Request) -> None:
        """Serve the request on the replica, and count it as in flight meanwhile.

        If there is no row when the call starts, nothing is taken back at its end, not even the reservation. A process
        that turns out not to hold the model loses its row; the error is raised all the same.
        """
        to, registry = self.to, self._ports.registry
        try:
            counted = await registry.increment(to.key)
        except BaseException:
            self.release()
            raise
        try:
            await to.backend.predict(request)
        except (ModelNotLoaded, WrongModel) as error:
            await self.remove_row(request, type(error).__name__)
            raise
        finally:
            if counted:
                registry.give_back(to.key, 2 if self._reserved else 1)
                self._reserved = False
                if self._left_behind:
                    self._take_up()
            elif self._reserved and not self._left_behind:
                self._leave_behind()

    def _leave_behind(self) -> None:
        """Tell that the reservation stays when its request has ended. A later call on this route may give it back."""
        self._left_behind = True
        self._ports.journal.left_behind(self.to.key, 1)

    def _take_up(self) -> None:
        """Tell that the reservation has been given back after all."""
        self._left_behind = False
        self._ports.journal.left_behind(self.to.key, -1)

    async def remove_row(self, request: Request, cause: str) -> None:
        """Delete the replica's row, whatever its process is doing."""
        if await self._ports.registry.remove(self.to.key):
            self._ports.journal.row_removed(self.to.key, self.to.address, cause, request)
