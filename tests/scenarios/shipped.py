"""The scenario files that the project ships, and their runs, each made once however many tests look at it."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from sim import RunResult, ScenarioFile, load, run
from sim.scenario import Expectation
from sim.scenario.text.units import format_duration

FOLDER = Path(__file__).resolve().parents[2] / "scenarios"
NAMES = [path.stem for path in sorted(FOLDER.glob("*.yaml"))]
TRACE = "azure_conversation"
"""An hour of real traffic, of which nothing is drawn. Its runs take as long as those of all others together."""
DRAWN = [name for name in NAMES if name != TRACE]
EVERY = [*DRAWN, pytest.param(TRACE, marks=pytest.mark.long)]
"""All of them, for tests that make every run."""


@cache
def scenario_file(name: str, *sets: str) -> ScenarioFile:
    """Load a shipped scenario, with single values set otherwise, as `--set` does."""
    return load(FOLDER / f"{name}.yaml", sets)


@cache
def results(name: str, *sets: str, seed: int | None = None) -> dict[str, RunResult]:
    """Run all variants of a shipped scenario, on its own seed unless given."""
    file = scenario_file(name, *sets)
    return {variant: run(file, variant, seed) for variant in file.variants}


def sentences(file: ScenarioFile) -> Iterator[tuple[str, Expectation]]:
    """Yield each expectation of the file with a sentence that says it, such as `fixed fairness.jain >= 0.95`."""
    for expectation in file.expect:
        yield sentence(expectation), expectation


def sentence(expectation: Expectation) -> str:
    """Say the expectation: who, what, how much, when."""
    bounds = [
        f"{sign} {bound:.6g}" if isinstance(bound, float) else f"{sign} {bound}"
        for sign, bound in (
            (">=", expectation.min),
            ("<=", expectation.max),
            ("=", expectation.equals),
            (">", expectation.above),
            ("<", expectation.below),
        )
        if bound is not None
    ]
    window = [
        f"{word} {format_duration(time_ns)}"
        for word, time_ns in (("after", expectation.after_ns), ("before", expectation.before_ns))
        if time_ns is not None
    ]
    metric = f"{expectation.metric} of {expectation.model}" if expectation.model else expectation.metric
    return " ".join([expectation.variant or "every variant", metric, " and ".join(bounds), *window])
