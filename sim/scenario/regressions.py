"""The `regression` block of a scenario file, checked against the file's variants and the known metrics."""

from collections.abc import Callable, Iterator, Sequence

from pydantic import ValidationError

from sim.scenario.spec.regression import Regression
from sim.scenario.text.errors import Path, Problem, found, listed
from sim.scenario.text.explain import explain
from sim.scenario.text.merge import Locator
from sim.scenario.vocabulary import Vocabulary

_AT: Path = ("regression",)


def sound_regression(
    locator: Locator, variants: Sequence[str], metrics: Vocabulary, add: Callable[[Problem], None]
) -> Regression | None:
    """Return the block if the file has a sound one, and add a problem for whatever is wrong with it."""
    written = locator.document.get("regression")
    if written is None:
        return None
    try:
        regression = Regression.model_validate(written)
    except ValidationError as error:
        for problem in explain(error, Regression, locator, _AT):
            add(problem)
        return None
    for problem in _unknown_names(regression, locator, variants, metrics):
        add(problem)
    return regression


def _unknown_names(
    regression: Regression, locator: Locator, variants: Sequence[str], metrics: Vocabulary
) -> Iterator[Problem]:
    if metrics.ask(regression.metric) is None:
        text = f"{found(regression.metric)} is not a metric; allowed: a name such as fairness.jain or latency.p99_s"
        yield locator.problem((*_AT, "metric"), text, word=regression.metric, known=metrics.names)
    for key in ("broken", "repaired", "check_in"):
        name = getattr(regression, key)
        if name is not None and name not in variants:
            text = f"{found(name)} is not a variant; allowed: {listed(variants)}"
            yield locator.problem((*_AT, key), text, word=name, known=tuple(variants))
    if regression.broken == regression.repaired:
        text = f"found {found(regression.repaired)}, the broken variant itself; allowed: another variant"
        yield locator.problem((*_AT, "repaired"), text)
