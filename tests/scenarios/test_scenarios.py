"""Balance as a regression test: what each shipped scenario expects holds, one test for each expectation.

To guard a router of your own in the same way, put your scenario files into a folder and point `FOLDER` at it.
"""

import pytest

from sim import judge
from sim.scenario import Expectation
from tests.scenarios.shipped import EVERY, FOLDER, NAMES, TRACE, results, scenario_file, sentences

EXPECTATIONS = [
    pytest.param(name, expectation, id=f"{name}: {sentence}", marks=[pytest.mark.long] if name == TRACE else [])
    for name in NAMES
    for sentence, expectation in sentences(scenario_file(name))
]


@pytest.mark.parametrize(("name", "expectation"), EXPECTATIONS)
def test_what_the_scenario_expects_holds(name: str, expectation: Expectation) -> None:
    runs = results(name)

    verdicts = judge((expectation,), runs)

    seed = next(iter(runs.values())).seed
    broken = [
        f"{name}: {one.variant} {one.metric} is {one.value}, expected {one.bound}"
        f" (to see it: sim run scenarios/{name}.yaml --seed {seed})"
        for one in verdicts
        if not one.passed
    ]
    assert verdicts
    assert not broken, "\n".join(broken)


COMPARISONS = (["pinned", "uncached", "fixed"], ["fixed", "hardened"])
"""What the fix did; or, where it changes nothing, what is broken still and what this project puts in its place."""


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_compares_routers_before_and_after_a_repair(name: str) -> None:
    file = scenario_file(name)
    variants, profiles = list(file.variants), [scenario.router.profile for scenario in file.variants.values()]

    assert file.name == name
    assert any(variants[: len(names)] == profiles[: len(names)] == names for names in COMPARISONS)


@pytest.mark.parametrize("name", NAMES)
def test_a_scenario_opens_with_what_happens_why_and_what_to_look_at(name: str) -> None:
    lines = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").splitlines()
    head = " ".join(line.removeprefix("#").strip() for line in lines[: lines.index(f"name: {name}")])

    assert all(part in head for part in ("What happens:", "Why", "What to look at:", "The kind of regression"))
    assert scenario_file(name).about


@pytest.mark.parametrize("name", EVERY)
def test_a_scenario_leaves_no_request_without_an_end(name: str) -> None:
    unfinished = {variant: result.metrics["requests.unfinished"] for variant, result in results(name).items()}

    assert set(unfinished.values()) == {0}, unfinished
