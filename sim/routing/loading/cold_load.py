"""What a request does when no replica can serve it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from sim.routing.request import Request
from sim.routing.request_path.route import Route

WarmPath = Callable[[Request], Awaitable[Route | None]]


def load_lock(model: str) -> str:
    """Return the name of the advisory lock that keeps two loads of the model apart."""
    return f"model-load:{model}"


class ColdLoad(Protocol):
    """Finds a route when the warm path found none."""

    async def route(self, request: Request, warm_path: WarmPath) -> Route:
        """Return a route to a replica that was loaded for the request, or for another one meanwhile.

        Raises a CallError if there is none.
        """
