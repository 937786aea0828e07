"""The corpus is honest: each file tells its story, shows the regression in one variant, and the repair in another."""

import re

import pytest

from sim import judge
from sim.measure.expectations import Verdict
from tests.golden import digests_of, written_down
from tests.regressions.refresh_digests import GOLDEN
from tests.regressions.shipped import FOLDER, NAMES, Played, played


# Of the module, so that all tests of one scenario follow each other and share its runs.
@pytest.fixture(scope="module", params=NAMES)
def one(request: pytest.FixtureRequest) -> Played:
    return played(request.param)


@pytest.fixture(scope="module")
def verdicts(one: Played) -> list[Verdict]:
    return judge(one.file.expect, one.results)


def test_what_the_scenario_expects_holds(verdicts: list[Verdict]) -> None:
    assert [verdict for verdict in verdicts if not verdict.passed] == []


def test_every_expectation_is_judged_on_one_seed(one: Played, verdicts: list[Verdict]) -> None:
    over_seeds = [expectation for expectation in one.file.expect if expectation.is_judged_over_seeds]
    judged = [verdict.expectation for verdict in verdicts]

    assert over_seeds == []
    assert [expectation for expectation in one.file.expect if expectation not in judged] == []


def test_the_broken_variant_breaks_the_first_bound_that_the_repaired_one_keeps_of_the_metric(one: Played) -> None:
    """The first, because reports show the metric in its window."""
    verdicts = one.beside_bounds_of_the_repaired(one.about.broken)

    first = next(verdict for verdict in verdicts if verdict.metric.endswith(one.about.metric))
    assert not first.passed, first


def test_the_symptom_is_said_to_be_a_bug_where_it_shows(one: Played) -> None:
    shown = [expectation for expectation in one.file.expect if expectation.shows == "bug"]

    assert one.about.broken in [expectation.variant for expectation in shown]
    assert one.about.repaired not in [expectation.variant for expectation in shown]


def test_no_request_is_left_without_an_end_unless_that_is_the_symptom(one: Played) -> None:
    """What is left unfinished in the repaired variant would hide in no figure of its requests."""
    assert one.results[one.about.repaired].metrics["requests.unfinished"] == 0


def test_it_runs_as_it_did_when_its_digests_were_written_down(one: Played) -> None:
    name = one.file.name

    written = written_down(GOLDEN).get(name)
    assert digests_of(one.results) == written, f"if this is meant: python -m tests.regressions.refresh_digests {name}"


STORY = {
    "what happens": "What happens:|Symptom:",
    "why": r"Why\b|Cause:",
    "which figure shows it": "What to look at:",
    "who is still affected": "Still affected:|`head`",
}


@pytest.mark.parametrize("name", NAMES)
def test_a_file_opens_with_what_happens_why_what_to_look_at_and_who_is_still_affected(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
    head = " ".join(line.removeprefix("#").strip() for line in text.partition(f"\nname: {name}\n")[0].splitlines())

    assert [part for part, words in STORY.items() if not re.search(words, head)] == []
    assert re.search(r"^about: ", text, flags=re.MULTILINE)


def test_digests_are_written_down_of_shipped_scenarios_only() -> None:
    assert list(written_down(GOLDEN)) == NAMES
