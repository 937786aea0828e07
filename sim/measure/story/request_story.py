"""The story of one request: its way through a run, step by step."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sim.measure.story.layout import Line, Part, candidate_lines, folded, timed
from sim.measure.story.steps import Step
from sim.measure.story.words import duration, sentence, worth_telling


@dataclass(frozen=True, slots=True, repr=False)
class RequestStory:
    """One request's way through a run."""

    run: str
    """Scenario, variant and seed."""
    request: int
    model: str
    steps: tuple[Step, ...]
    """In the order in which they happened; the first is its arrival."""

    @property
    def outcome(self) -> str:
        """How it ended; `unfinished` if it had not by the end of the run."""
        return next((str(step.facts["outcome"]) for step in self.steps if step.what == "ended"), "unfinished")

    @property
    def replica(self) -> str | None:
        """Where it was sent last; None if it never was."""
        return next((str(step.facts["replica"]) for step in reversed(self.steps) if step.what == "routed"), None)

    @property
    def took_ns(self) -> int:
        """Time from its arrival to its end; to its last step if it has none.

        A frontend may go on with the route of a client that has left.
        """
        own = [step for step in self.steps if step.is_own]
        last = next((step for step in own if step.what == "ended"), own[-1])
        return last.t_ns - own[0].t_ns

    @property
    def document(self) -> dict[str, Any]:
        """The story for programs, in values that JSON has."""
        return {
            "run": self.run,
            "request": self.request,
            "model": self.model,
            "outcome": self.outcome,
            "replica": self.replica,
            "steps": [step.document for step in self.steps],
        }

    def lines(self, width: int | None = None) -> Iterator[Line]:
        """Yield the story line by line, each no wider than `width` characters if that is given."""
        replica = f" on {self.replica}" if self.replica else ""
        head = f"{self.run}: request {self.request} of {self.model}, {self.outcome}{replica}"
        yield from folded(Part.HEAD, f"{head}, {duration(self.took_ns)} after its arrival", width)
        yield Line(Part.MEANWHILE, f"{'t (s)':>12}{'since':>10}")
        before_ns = self.steps[0].t_ns
        for step in worth_telling(self.steps):
            since = f"+{duration(step.t_ns - before_ns)}" if step.t_ns > before_ns else ""
            yield from timed(Part.STEP if step.is_own else Part.MEANWHILE, step.t_ns, since, sentence(step), width)
            if step.decision is not None and step.decision.seen:
                yield from candidate_lines(step.decision, width)
            before_ns = step.t_ns

    def __repr__(self) -> str:
        return "\n".join(line.text for line in self.lines())
