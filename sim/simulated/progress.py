"""How far each request has come, for faults that wait for that."""

from collections.abc import Callable
from typing import Literal

from sim.observer import Observer
from sim.routing.outcomes import Answer, Outcome
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request

Step = Literal["before_pick", "during_probe", "mid_stream", "in_between"]
"""Where a request is; in between are cold loads, registry transactions and the queue of a backend."""


class RequestProgress(Observer):
    """Knows where each request is that is under way, and tells faults of each step."""

    def __init__(self) -> None:
        self.on_step: list[Callable[[Request, Step], None]] = []
        """Called when a request reaches a step other than `in_between`."""
        self.on_end: list[Callable[[Request, Outcome], None]] = []
        """Called when a request has ended."""
        self._steps: dict[int, Step] = {}

    def step(self, request: Request) -> Step | None:
        """Return where the request is now; None once it has ended."""
        return self._steps.get(request.id)

    def arrived(self, request: Request) -> None:
        """A request waits for its pick."""
        self._reach(request, "before_pick")

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """A replica that the probe cache does not remember is probed."""
        self._reach(request, "during_probe" if remembered is None else "in_between")

    def vouched(self, request: Request, answer: Answer) -> None:
        """The probe has ended."""
        self._steps[request.id] = "in_between"

    def routed(self, request: Request, key: ReplicaKey) -> None:
        """The request is about to be sent to its replica."""
        self._steps[request.id] = "in_between"

    def served_from(self, request: Request) -> None:
        """The backend works on the request."""
        self._reach(request, "mid_stream")

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """The request has ended."""
        self._steps.pop(request.id, None)
        for tell in self.on_end:
            tell(request, outcome)

    def _reach(self, request: Request, step: Step) -> None:
        self._steps[request.id] = step
        if step == "in_between":
            return
        for tell in self.on_step:
            tell(request, step)
