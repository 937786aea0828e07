"""A validation as a page of Markdown: how many rows of each model hold, and why others are skipped."""

from collections import Counter
from collections.abc import Sequence

from sim.report.ci.markdown import paragraphs, plain, table
from sim.study.validate.row import Row
from sim.study.validate.table import summary

_VERDICTS = ("inside", "outside", "skipped")


def page(rows: Sequence[Row], date: str) -> str:
    """Return the page; `date` is when the rows were found."""
    return paragraphs(
        (
            "# Results of the validation",
            f"What `sim validate --markdown FILE` found on {date}.",
            plain(summary(rows)),
            _models(rows),
            *_outside(rows),
            "## Skipped",
            _reasons(rows),
        )
    )


def _models(rows: Sequence[Row]) -> str:
    counts: dict[str, Counter[str]] = {}
    for row in rows:
        counts.setdefault(row.entry.model, Counter())[row.verdict] += 1
    cells = ([plain(model), *(str(found[verdict]) for verdict in _VERDICTS)] for model, found in counts.items())
    return table(("model", *_VERDICTS), cells)


def _outside(rows: Sequence[Row]) -> Sequence[str]:
    outside = [row for row in rows if row.verdict == "outside"]
    if not outside:
        return ()
    cells = ([row.entry.id, plain(row.entry.model), f"{row.entry.value:.6g}", f"{row.ours:.6g}"] for row in outside)
    return "## Rows outside", table(("row", "model", "theirs", "ours"), cells, flush_left=(0, 1))


def _reasons(rows: Sequence[Row]) -> str:
    counts = Counter((row.entry.model, row.reason) for row in rows if row.verdict == "skipped")
    cells = ([plain(model), str(count), plain(reason)] for (model, reason), count in counts.items())
    return table(("model", "rows", "why"), cells, flush_left=(0, 2))
