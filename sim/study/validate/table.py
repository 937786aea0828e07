"""A validation as lines of text and as a document for programs."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from sim.study.validate.row import FAMILY_FALSE_ALARM, Row, failures, most_outside_by_chance


def line(row: Row) -> str:
    """Return a line on a row: verdict, entry, theirs, ours with its interval, and the source."""
    entry = row.entry
    what = f"{row.verdict:8}{entry.id:9}{_model(entry.model, entry.parameters)}: {entry.quantity}"
    found = f"{what}, theirs {_number(entry.value)}"
    if row.ours is not None and row.high is not None:
        found += f", ours {_number(row.ours)} ± {row.high - row.ours:.2g}"
    return found + (f"; {row.reason}" if row.reason else f" ({entry.source})")


def summary(rows: Sequence[Row]) -> str:
    """Return how many rows hold, what chance would do, and which rows fail the whole."""
    counts = Counter(row.verdict for row in rows)
    judged = counts["inside"] + counts["outside"]
    if not judged:
        return f"Nothing was judged: {counts['skipped']} rows are skipped, each with its reason."
    most = most_outside_by_chance(judged)
    sentences = [
        f"{counts['inside']} rows are inside their 99.9 % interval, {counts['outside']} outside; "
        f"{counts['skipped']} are skipped, each with its reason.",
        f"Of {judged} right rows about {judged * FAMILY_FALSE_ALARM:.1f} are outside by chance. The validation fails "
        f"if more than {most} are, or if one is outside at the confidence at which all hold together with 99.9 %; "
        f"without a fault, each happens with a chance of at most {100 * FAMILY_FALSE_ALARM:.1g} %.",
    ]
    failing = failures(rows)
    if failing:
        sentences.append(f"It fails: {', '.join(row.entry.id for row in failing)}.")
    return "\n".join(sentences)


def document(rows: Sequence[Row]) -> dict[str, Any]:
    """Return the document for programs, a row for each entry."""
    return {"rows": [row.document for row in rows]}


def _model(name: str, parameters: Mapping[str, Any]) -> str:
    return " ".join([name, *(f"{key}={value}" for key, value in parameters.items())])


def _number(value: object) -> str:
    return f"{value:.6g}" if isinstance(value, (int, float)) else str(value)
