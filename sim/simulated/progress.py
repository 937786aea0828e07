"""How far each request has come, for faults that wait for that."""

from collections.abc import Callable
from typing import Literal

from sim.routing.journal import ForwardingJournal
from sim.routing.outcomes import Answer, Outcome
from sim.routing.ports import Journal
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request

Step = Literal["before_pick", "during_probe", "mid_stream", "in_between"]
"""Where a request is; in between are cold loads, registry transactions and the queue of a backend."""


class Progress:
    """Where each request is that is under way, and who is told of each step."""

    def __init__(self) -> None:
        self.on_step: list[Callable[[Request, Step], None]] = []
        """Called when a request gets there; `in_between` is not worth a call."""
        self.on_end: list[Callable[[Request, Outcome], None]] = []
        """Called when a request has ended."""
        self._steps: dict[int, Step] = {}

    def step(self, request: Request) -> Step | None:
        """Return where the request is now; None once it has ended."""
        return self._steps.get(request.id)

    def reach(self, request: Request, step: Step) -> None:
        """Note that the request has come this far."""
        self._steps[request.id] = step
        if step == "in_between":
            return
        for tell in self.on_step:
            tell(request, step)

    def end(self, request: Request, outcome: Outcome) -> None:
        """Note that the request has ended."""
        self._steps.pop(request.id, None)
        for tell in self.on_end:
            tell(request, outcome)


class OverheardJournal(ForwardingJournal):
    """A journal from which progress is learnt on the way."""

    def __init__(self, journal: Journal, progress: Progress) -> None:
        super().__init__(journal)
        self._progress = progress

    def arrived(self, request: Request) -> None:
        """A client sent the request."""
        super().arrived(request)
        self._progress.reach(request, "before_pick")

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """The registry chose the replica; it is probed unless it is remembered."""
        super().picked(request, replica, remembered)
        self._progress.reach(request, "during_probe" if remembered is None else "in_between")

    def vouched(self, request: Request, answer: Answer) -> None:
        """The replica was found alive or dead by a probe."""
        super().vouched(request, answer)
        self._progress.reach(request, "in_between")

    def routed(self, request: Request, key: ReplicaKey) -> None:
        """The request has its route."""
        super().routed(request, key)
        self._progress.reach(request, "in_between")

    def served_from(self, request: Request) -> None:
        """The backend has started to work on the request."""
        super().served_from(request)
        self._progress.reach(request, "mid_stream")

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """The request ended for its client."""
        super().ended(request, outcome, cause)
        self._progress.end(request, outcome)
