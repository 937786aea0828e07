"""The `expect` list of a scenario file: which bounds metrics must keep, checked against the file's variants."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from sim.scenario.metric_names import METRIC_NAMES, is_metric, replica_of
from sim.scenario.spec.schema import Expectation, Scenario
from sim.scenario.text.errors import Path, Problem, found, listed
from sim.scenario.text.explain import explain
from sim.scenario.text.merge import Locator
from sim.scenario.text.units import format_duration

MOST_EXPECTATIONS = 1000


def expectations(
    locator: Locator, names: tuple[str, ...], variants: Mapping[str, Scenario], add: Callable[[Problem], None]
) -> tuple[Expectation, ...]:
    """Return the sound expectations of a file and add a problem for whatever is wrong with the others.

    `names` are the declared variants; `variants` those of them that could be read.
    """
    written = locator.document.get("expect", ())
    if not isinstance(written, tuple) or len(written) > MOST_EXPECTATIONS:
        text = f"found {found(written)}; allowed: a list of at most {MOST_EXPECTATIONS} expectations"
        add(locator.problem(("expect",), text))
        return ()
    sound = []
    for index, entry in enumerate(written):
        problems = list(_name_problems(locator, ("expect", index), entry, names))
        try:
            expectation = Expectation.model_validate(entry)
        except ValidationError as error:
            problems += explain(error, Expectation, locator, ("expect", index))
        else:
            sound.append(expectation)
            problems += _misfits(locator, ("expect", index), expectation, variants)
        for problem in problems:
            add(problem)
    return tuple(sound)


def _name_problems(locator: Locator, at: Path, entry: Any, names: tuple[str, ...]) -> Iterator[Problem]:
    """Yield a problem for each unknown metric or variant it names, even if it does not fit the schema."""
    if not isinstance(entry, dict):
        return
    metric = entry.get("metric")
    if isinstance(metric, str) and not is_metric(metric):
        text = f"{found(metric)} is not a metric; allowed: a name such as fairness.jain or latency.p99_s"
        yield locator.problem((*at, "metric"), text, word=metric, known=METRIC_NAMES)
    for key in ("variant", "above", "below"):
        name = entry.get(key)
        if isinstance(name, str) and name not in names:
            text = f"{found(name)} is not a variant; allowed: {listed(names)}"
            yield locator.problem((*at, key), text, word=name, known=names)
        elif key != "variant" and name is not None and name == entry.get("variant"):
            text = f"found {found(name)}, the variant itself; allowed: another variant"
            yield locator.problem((*at, key), text)


def _misfits(
    locator: Locator, at: Path, expectation: Expectation, variants: Mapping[str, Scenario]
) -> Iterator[Problem]:
    """Yield a problem for each replica or time that a variant it applies to does not have."""
    concerned = [expectation.variant] if expectation.variant is not None else list(variants)
    for name in concerned:
        if name in variants:
            yield from _replica_problems(locator, at, expectation, variants[name])
            yield from _window_problems(locator, at, expectation, variants[name])


def _replica_problems(locator: Locator, at: Path, expectation: Expectation, scenario: Scenario) -> Iterator[Problem]:
    replica = replica_of(expectation.metric)
    if replica is None:
        return
    slots = {node.name: node.slots for node in scenario.nodes}
    name, index = replica
    if name not in slots:
        text = f"{found(name)} is not a node; allowed: {listed(slots)}"
        yield locator.problem((*at, "metric"), text, word=name, known=tuple(slots))
    elif index >= slots[name]:
        text = f"found replica {index} of {name}; allowed: an index below its slots, {slots[name]}"
        yield locator.problem((*at, "metric"), text)


def _window_problems(locator: Locator, at: Path, expectation: Expectation, scenario: Scenario) -> Iterator[Problem]:
    if expectation.after_ns is not None and expectation.after_ns >= scenario.duration_ns:
        limit = format_duration(scenario.duration_ns)
        text = f"found {format_duration(expectation.after_ns)}; allowed: less than the duration, {limit}"
        yield locator.problem((*at, "after"), text)
