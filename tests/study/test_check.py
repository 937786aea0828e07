"""`sim.check`: a router on every known regression, from Python."""

from pathlib import Path
from typing import Any

import pytest

from sim import NoSuchRegression, ScenarioError, check
from sim.routing.policies.port import PolicyError
from tests.pickers import PowerOfTwo, beyond, first_row
from tests.regressions.corpora import small_corpus


class FirstAtFirst:
    """The first row for 45 seconds of the minute, and then each in its turn."""

    def __init__(self, context: Any) -> None:
        self.clock = context.clock

    def pick(self, replicas: Any, request: Any) -> Any:
        return replicas[0 if self.clock.now_ns() < 45 * 10**9 else request.id % len(replicas)]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small_corpus(tmp_path_factory.mktemp("corpus"))


def test_a_function_that_shows_a_regression_fails_with_it(corpus: Path) -> None:
    results = check(first_row, corpus=corpus, seeds=4)

    assert (results.policy, [one.known.name for one in results.failed]) == ("first_row", ["one_node_takes_all"])
    assert results["one_node_takes_all"].broken == 4


def test_a_class_that_shows_none_passes(corpus: Path) -> None:
    results = check(PowerOfTwo, corpus=corpus)

    assert results.failed == []
    assert [one.known.name for one in results.all_that_are("immune")] == ["one_node_takes_all"]
    assert [one.known.name for one in results.all_that_are("not applicable")] == ["probes_each_request"]


def test_the_number_of_processes_changes_no_figure(corpus: Path) -> None:
    alone, shared = (check(PowerOfTwo, corpus=corpus, seeds=4, jobs=jobs) for jobs in (1, 2))

    assert alone.document == shared.document


def test_a_policy_from_python_has_no_command_that_runs_it_again(corpus: Path) -> None:
    worst = check(first_row, corpus=corpus, seeds=4)["one_node_takes_all"].worst

    assert worst is not None
    assert worst.command == ""


def test_a_bound_on_a_part_of_the_run_is_judged_on_that_part(corpus: Path, tmp_path: Path) -> None:
    text = (corpus / "one_node_takes_all.yaml").read_text()
    (tmp_path / "late.yaml").write_text(text.replace("max: 0.75}", "max: 0.75, after: 45s}"))

    late = check(FirstAtFirst, corpus=tmp_path, seeds=4)
    whole = check(FirstAtFirst, corpus=corpus, seeds=4)

    assert (len(late.failed), len(whole.failed)) == (0, 1)


def test_an_unknown_regression_is_refused_with_the_nearest_name(corpus: Path) -> None:
    with pytest.raises(NoSuchRegression, match="did you mean 'one_node_takes_all'"):
        check(first_row, corpus=corpus, allow=["one_node_take_all"])
    with pytest.raises(KeyError, match="did you mean 'one_node_takes_all'"):
        check(first_row, corpus=corpus, seeds=4)["one_node_take_all"]


def test_a_policy_that_fails_or_is_none_is_told(corpus: Path) -> None:
    with pytest.raises(PolicyError, match="mine raised IndexError"):
        check(beyond, corpus=corpus)
    with pytest.raises(ValueError, match="found an object of type int"):
        check(3, corpus=corpus)
    with pytest.raises(ScenarioError, match="POLICY: found 'best'"):
        check("best", corpus=corpus)
