"""How far each request has come, for faults that depend on it."""

from collections.abc import Callable
from typing import Literal

from sim.observer import Observer
from sim.routing.outcomes import Answer, Outcome
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request

Step = Literal["before_pick", "during_probe", "mid_stream", "in_between"]
"""Where a request is. Cold loads, registry transactions and the queue of a backend are `in_between`."""


class RequestProgress(Observer):
    """Knows the step of each request under way, and tells faults of each new step."""

    def __init__(self) -> None:
        self.on_step: list[Callable[[Request, Step], None]] = []
        """Called when a request reaches a step other than `in_between`."""
        self.on_end: list[Callable[[Request, Outcome], None]] = []
        self._steps: dict[int, Step] = {}

    def step(self, request: Request) -> Step | None:
        """Return the step that the request is at; None once it has ended."""
        return self._steps.get(request.id)

    def arrived(self, request: Request) -> None:
        self._reach(request, "before_pick")

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """A replica that the probe cache does not remember will be probed."""
        self._reach(request, "during_probe" if remembered is None else "in_between")

    def vouched(self, request: Request, answer: Answer) -> None:
        self._steps[request.id] = "in_between"

    def routed(self, request: Request, key: ReplicaKey) -> None:
        self._steps[request.id] = "in_between"

    def served_from(self, request: Request) -> None:
        self._reach(request, "mid_stream")

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        self._steps.pop(request.id, None)
        for tell in self.on_end:
            tell(request, outcome)

    def _reach(self, request: Request, step: Step) -> None:
        self._steps[request.id] = step
        if step == "in_between":
            return
        for tell in self.on_step:
            tell(request, step)
