"""One line of a validation: their figure, ours, and whether they agree."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sim.measure.statistics import simultaneous
from sim.study.validate.answer import CONFIDENCE, Answer, Precision
from sim.study.validate.entry import Entry
from sim.study.validate.system import Question

FAMILY_FALSE_ALARM = 1 - CONFIDENCE
"""Probability, at most, of each of the two ways in which a validation fails without a fault."""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of the table. An interval of ours takes the error of theirs in."""

    entry: Entry
    verdict: str
    """`inside`, `outside` or `skipped`."""
    reason: str = ""
    """Why it was skipped; else empty."""
    ours: float | None = None
    low: float | None = None
    high: float | None = None
    confidence: float | None = None
    """The least confidence at which the interval holds their figure; None if it was skipped."""

    @property
    def document(self) -> dict[str, Any]:
        """The row for programs."""
        return {
            "id": self.entry.id,
            "model": self.entry.model,
            "quantity": self.entry.quantity,
            "parameters": dict(self.entry.parameters),
            "source": self.entry.source,
            "theirs": self.entry.value,
            "ours": self.ours,
            "low": self.low,
            "high": self.high,
            "verdict": self.verdict,
            "reason": self.reason,
        }


def skipped(entry: Entry, reason: str) -> Row:
    """Return the row of an entry that was not compared."""
    return Row(entry, "skipped", reason)


def compared(entry: Entry, value: float, question: Question, answer: Answer, precision: Precision) -> Row:
    """Return the row of an entry that was.

    Their figure is inside if the 99.9 % interval of the difference, with their standard error and the rounding of
    their printed digits, holds 0. A figure that is inside an interval wider than asked for is skipped: it proves
    nothing.
    """
    scale, estimate = question.scale, answer.estimate
    ours = estimate.mean * scale
    their_error = (entry.standard_error or 0.0) / scale
    # Times are whole nanoseconds, which a figure that has to be exact feels.
    rounding = max(entry.resolution, 1e-8 * abs(value))
    half = estimate.half_width(CONFIDENCE, their_error) * scale + rounding
    inside = abs(ours - value) <= half
    own_half, widest = estimate.half_width(CONFIDENCE) * scale, precision.width_for(question.system) * abs(value)
    if inside and own_half > widest:
        reason = (
            f"{_percent(own_half / abs(value)) if value else 'some'} wide to each side after "
            f"about {answer.spent_s:.2g} s; {_percent(widest / abs(value)) if value else 'none'} would take about "
            f"{answer.needed_s:.0f} s"
        )
        return Row(entry, "skipped", reason, ours, ours - half, ours + half)
    beyond = max(0.0, abs(ours - value) - rounding)
    confidence = _least_confidence(beyond, answer, their_error, scale)
    return Row(entry, "inside" if inside else "outside", "", ours, ours - half, ours + half, confidence)


def _percent(part: float) -> str:
    return f"{100 * part:.2g} %"


def _least_confidence(beyond: float, answer: Answer, their_error: float, scale: float) -> float:
    from scipy.special import stdtr

    error = (answer.estimate.error**2 + their_error**2) ** 0.5 * scale
    if error == 0:
        return 0.0 if beyond == 0 else 1.0
    return 2 * float(stdtr(answer.estimate.freedom, beyond / error)) - 1


def most_outside_by_chance(rows: int) -> int:
    """Return how many of so many independent rows may be outside: more happen with a chance of 0.1 % at most."""
    # Not from scipy.stats, whose import takes a second.
    from scipy.special import bdtrc

    return next(most for most in range(rows + 1) if bdtrc(most, rows, 1 - CONFIDENCE) <= FAMILY_FALSE_ALARM)


def failures(rows: Sequence[Row]) -> list[Row]:
    """Return the rows that fail the validation as a whole, none if it holds.

    If more rows are outside than chance explains, these are all of them. Otherwise they are the rows that are outside
    wider intervals: those that all rows keep at once with 99.9 % (Bonferroni, whatever the rows have in common).
    """
    judged = [row for row in rows if row.confidence is not None]
    outside = [row for row in judged if row.verdict == "outside"]
    if len(outside) > most_outside_by_chance(len(judged)):
        return outside
    together = simultaneous(CONFIDENCE, len(judged))
    return [row for row in outside if row.confidence is not None and row.confidence > together]
