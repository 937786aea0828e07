"""The story of a replica's rows: who wrote each, what became known of it, and why it was deleted."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sim.measure.story.layout import Line, Part, folded, timed
from sim.measure.story.steps import Step
from sim.measure.story.words import and_busy, answer_in_words, cause_in_words, sentence


@dataclass(slots=True)
class RowLife:
    """One row, from the time when it could be picked to its deletion."""

    published: Step | None = None
    """None for a row that was deleted before it could be picked."""
    picks: int = 0
    last_picked_ns: int | None = None
    answers: int = 0
    """Health calls that were answered as they should be."""
    last_answer_ns: int | None = None
    evidence: list[Step] = field(default_factory=list)
    """What spoke against it since the last such answer, and what befell its process and its node."""
    removed: Step | None = None
    """None for a row that is still there at the end. `ahead` are the requests that were at its process then."""

    @property
    def document(self) -> dict[str, Any]:
        """The row for programs, in values that JSON has."""
        return {
            "published": self.published and self.published.document,
            "picks": self.picks,
            "last_picked_s": None if self.last_picked_ns is None else self.last_picked_ns / 1e9,
            "answers": self.answers,
            "last_answer_s": None if self.last_answer_ns is None else self.last_answer_ns / 1e9,
            "evidence": [step.document for step in self.evidence],
            "removed": self.removed and self.removed.document,
        }


@dataclass(frozen=True, slots=True, repr=False)
class RowStory:
    """All rows that a replica has had in a run, one after the other."""

    run: str
    """Scenario, variant and seed."""
    replica: str
    """Its label."""
    lives: tuple[RowLife, ...]

    @property
    def document(self) -> dict[str, Any]:
        """The story for programs, in values that JSON has."""
        return {"run": self.run, "replica": self.replica, "rows": [life.document for life in self.lives]}

    def lines(self, width: int | None = None) -> Iterator[Line]:
        """Yield the story line by line, each no wider than `width` characters if that is given."""
        count = len(self.lives)
        text = f"{self.run}: {self.replica} had {count} row{'' if count == 1 else 's'}"
        yield from folded(Part.HEAD, text, width)
        for number, life in enumerate(self.lives, 1):
            if count > 1:
                yield Line(Part.HEAD, f"row {number}")
            for t_ns, part, text in _life(life):
                yield from timed(part, t_ns, "", text, width)

    def __repr__(self) -> str:
        return "\n".join(line.text for line in self.lines())


def _life(life: RowLife) -> Iterator[tuple[int | None, Part, str]]:
    if life.published is not None:
        yield life.published.t_ns, Part.STEP, f"can be picked: {cause_in_words(str(life.published.facts['cause']))}"
    yield None, Part.MEANWHILE, _counted("pick", life.picks, life.last_picked_ns)
    yield None, Part.MEANWHILE, _counted("answered health call", life.answers, life.last_answer_ns)
    for step in life.evidence:
        yield step.t_ns, Part.STEP, _evidence(step)
    if life.removed is not None:
        yield life.removed.t_ns, Part.TAKEN, _removal(life.removed)
    else:
        yield None, Part.STEP, "is there to the end"


def _counted(what: str, times: int, last_ns: int | None) -> str:
    last = "" if last_ns is None else f", the last at {last_ns / 1e9:.6f} s"
    return f"{times} {what}{'' if times == 1 else 's'}{last}"


def _evidence(step: Step) -> str:
    facts = step.facts
    match step.what:
        case "probed" | "checked":
            asker = "a loop" if facts["request"] is None else f"request {facts['request']}"
            return f"a health call of {asker}: it {answer_in_words(step)}"
        case "process_ended":
            return f"its process ends: {facts['cause']}"
        case "node_changed":
            return f"its node is taken for {facts['status']}: {facts['cause']}"
        case _:
            return sentence(step)


def _removal(step: Step) -> str:
    whose = f" for request {step.facts['request']}" if "request" in step.facts else ""
    process = f"is alive{and_busy(step.ahead)}" if step.facts["process_alive"] else "has gone"
    return f"is deleted{whose}: {cause_in_words(str(step.facts['cause']))}; its process {process}"
