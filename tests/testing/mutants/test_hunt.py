"""The hunt: an expectation that the right code keeps has to fail, in a run that comes to its end."""

from collections.abc import Iterable
from pathlib import Path

import pytest

from sim.routing.policies.best_replica import AnyLoad
from sim.testing.mutants.corpus import Corpus
from sim.testing.mutants.hunt import fate_of
from sim.testing.mutants.mutant import Mutant, NoSuchPlace, in_place_of

CHOOSES = "sim.routing.policies.best_replica:ChooseBest.__call__"
NAMED = """
name: {name}
seed: 3
duration: {duration}
nodes: [{{name: a}}, {{name: b}}]
models: [{{name: qwen3, service: {{mean: 100ms}}, replicas: [{{node: a}}, {{node: b}}]}}]
workload: [{{kind: uniform, model: qwen3, rate: 1/s}}]
expect: [{expect}]
"""
EVEN = "{metric: fairness.busiest_share, max: 0.6}"
NEVER_TRUE = "{metric: requests.failed, min: 1}"
ALL_SERVED = "{metric: requests.failed, equals: 0}"


@in_place_of(CHOOSES)
def always_the_first(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """Only the first row is picked."""
    return next(iter(replicas), None)


@in_place_of(CHOOSES)
def takes_the_right_one(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """Nothing is wrong with it."""
    return min(replicas, key=lambda one: (one.in_flight, one.last_used_ns), default=None)


@in_place_of(CHOOSES)
def raises(replicas: Iterable[AnyLoad]) -> AnyLoad | None:
    """It cannot even run."""
    raise ZeroDivisionError(f"no replica of {len(list(replicas))}")


def test_an_expectation_that_fails_because_of_the_mutant_kills_it(tmp_path: Path) -> None:
    fate = fate_of(always_the_first, corpus(tmp_path, even=EVEN))

    assert str(fate.killed_by) == "even, default: fairness.busiest_share is 1, expected <= 0.6; 2 of 2 seeds"
    assert fate.crashes == ()


def test_an_expectation_that_fails_without_the_mutant_too_is_no_kill(tmp_path: Path) -> None:
    assert fate_of(always_the_first, corpus(tmp_path, broken=NEVER_TRUE)).killed_by is None


def test_a_mutant_that_changes_nothing_survives(tmp_path: Path) -> None:
    assert fate_of(takes_the_right_one, corpus(tmp_path, even=EVEN)).killed_by is None


def test_a_crash_is_no_kill_and_is_told(tmp_path: Path) -> None:
    fate = fate_of(raises, corpus(tmp_path, even=EVEN))

    assert fate.killed_by is None
    assert fate.crashes == tuple(f"even, seed {seed}: ZeroDivisionError: no replica of 2" for seed in (3, 4))


def test_the_hunt_ends_with_the_first_kill_unless_every_scenario_is_wanted(tmp_path: Path) -> None:
    both = corpus(tmp_path, one=EVEN, two=EVEN, served=ALL_SERVED)

    assert [kill.scenario for kill in fate_of(always_the_first, both).kills] == ["one"]
    assert [kill.scenario for kill in fate_of(always_the_first, both, in_all=True).kills] == ["one", "two"]


def test_the_scenarios_that_should_notice_come_first_and_then_the_shortest(tmp_path: Path) -> None:
    hinted = Mutant("hinted", CHOOSES, "", always_the_first.replacement, seen_in=("hinted",))
    (tmp_path / "long.yaml").write_text(NAMED.format(name="long", duration="60s", expect=EVEN), encoding="utf-8")
    files = corpus(tmp_path, short=EVEN, hinted=EVEN)
    files = Corpus.read([file.path for file in files.files] + [tmp_path / "long.yaml"], seeds=1)

    assert [kill.scenario for kill in fate_of(hinted, files, in_all=True).kills] == ["hinted", "short", "long"]


def test_a_mutant_without_a_place_ends_the_hunt(tmp_path: Path) -> None:
    with pytest.raises(NoSuchPlace):
        fate_of(Mutant("lost", "sim.routing.frontend:NO_SUCH_NAME", "", None), corpus(tmp_path, even=EVEN))


def corpus(folder: Path, **expectations: str) -> Corpus:
    """Scenarios by name, each with one expectation, to be tried on two seeds."""
    paths = [folder / f"{name}.yaml" for name in expectations]
    for path, expect in zip(paths, expectations.values(), strict=True):
        path.write_text(NAMED.format(name=path.stem, duration="10s", expect=expect), encoding="utf-8")
    return Corpus.read(paths, seeds=2)
