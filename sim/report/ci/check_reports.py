"""What `sim check` found for CI systems and pull requests: a test for each regression, and Markdown."""

from collections.abc import Iterator, Sequence
from xml.etree import ElementTree as ET

from sim.measure.immunity import Immunity, Standing
from sim.report.ci.junit_form import add_failure, add_skip, junit_case, junit_document
from sim.report.ci.markdown import code, paragraphs, plain, table
from sim.report.marks import UNICODE
from sim.report.standings import (
    applicable,
    figure_of,
    findings,
    left_out,
    mark_of_standing,
    rule_in_words,
    verdict_in_words,
)


def check_junit(policy: str, standings: Sequence[Standing]) -> str:
    """Return a suite with a test for each regression; it is skipped if it is excused, or does not apply."""
    return junit_document([(f"sim check {policy}", [_case(policy, one) for one in standings])])


def check_markdown(policy: str, seeds: int, too_many: int, standings: Sequence[Standing]) -> str:
    """Return the verdict, a table of the regressions that were tried, and what the router shows of them."""
    tried = applicable(standings)
    sign = "✗" if any(one.fails for one in standings) else "✓"
    return paragraphs(
        [
            f"{sign} **{plain(verdict_in_words(policy, standings))}**",
            table(["", "metric", "mean", "verdict"], map(_row, tried), flush_left=(0, 1, 3)) if tried else "",
            "\n".join(line for one in tried for line in _points(one)),
            "\n".join(
                f"- not applicable, {plain(reason)}: {plain(', '.join(names))}"
                for reason, names in left_out(standings).items()
            ),
            plain(rule_in_words(seeds, too_many)) if tried else "",
        ]
    )


def _case(policy: str, one: Standing) -> ET.Element:
    figures = {name: str(value) for name, value in one.document.items() if value not in (None, "")}
    case = junit_case(policy, one.known.name, figures)
    if one.fails:
        add_failure(case, "regression", str(one), findings(one))
    elif one.immunity in (Immunity.NOT_APPLICABLE, Immunity.AFFECTED):
        add_skip(case, one.words)
    return case


def _row(one: Standing) -> list[str]:
    name = f"{UNICODE.marks[mark_of_standing(one)]} {plain(one.known.name)}"
    return [name, code(one.known.metric), plain(figure_of(one, UNICODE)), plain(one.words)]


def _points(one: Standing) -> Iterator[str]:
    lines = list(findings(one))
    if lines:
        yield "  \n".join([f"- {plain(lines[0])}", *(f"  {plain(line)}" for line in lines[1:])])
