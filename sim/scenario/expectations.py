"""The `expect` list of a scenario file: which bounds metrics must keep, checked against the file's variants."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sim.scenario.spec.expectation import Expectation
from sim.scenario.spec.schema import Scenario
from sim.scenario.text.errors import Path, Problem, found, listed
from sim.scenario.text.explain import explain
from sim.scenario.text.merge import Locator
from sim.scenario.text.units import format_duration
from sim.scenario.vocabulary import AskedMetric, Vocabulary

MOST_EXPECTATIONS = 1000


@dataclass(frozen=True, slots=True)
class ExpectationChecks:
    """What the expectations of a file are held against."""

    locator: Locator
    names: tuple[str, ...]
    """The declared variants."""
    variants: Mapping[str, Scenario]
    """Those of them that could be read."""
    metrics: Vocabulary

    def sound(self, add: Callable[[Problem], None]) -> tuple[Expectation, ...]:
        """Return the sound expectations and add a problem for whatever is wrong with the others."""
        written = self.locator.document.get("expect", ())
        if not isinstance(written, tuple) or len(written) > MOST_EXPECTATIONS:
            text = f"found {found(written)}; allowed: a list of at most {MOST_EXPECTATIONS} expectations"
            add(self.locator.problem(("expect",), text))
            return ()
        sound = []
        for index, entry in enumerate(written):
            at = ("expect", index)
            problems = list(self._name_problems(at, entry))
            try:
                expectation = Expectation.model_validate(entry)
            except ValidationError as error:
                problems += explain(error, Expectation, self.locator, at)
            else:
                sound.append(expectation)
                problems += self._misfits(at, expectation)
            for problem in problems:
                add(problem)
        return tuple(sound)

    def _name_problems(self, at: Path, entry: Any) -> Iterator[Problem]:
        """Yield a problem for each unknown metric or variant it names, even if it does not fit the schema."""
        if not isinstance(entry, dict):
            return
        metric = entry.get("metric")
        if isinstance(metric, str) and self.metrics.ask(metric) is None:
            yield self._no_metric((*at, "metric"), metric)
        for key in ("variant", "above", "below"):
            name = entry.get(key)
            if isinstance(name, str) and name not in self.names:
                yield self._unknown((*at, key), name, "variant", self.names)
            elif key != "variant" and name is not None and name == entry.get("variant"):
                text = f"found {found(name)}, the variant itself; allowed: another variant"
                yield self.locator.problem((*at, key), text)

    def _no_metric(self, path: Path, name: str) -> Problem:
        if name.startswith("replicas."):
            last = ", ".join(self.metrics.of_replica)
            text = f"{found(name)} is not a metric; allowed: replicas.<node>#<index>.<name>, the name one of {last}"
            return self.locator.problem(path, text)
        text = f"{found(name)} is not a metric; allowed: a name such as fairness.jain or latency.p99_s, as in --json"
        return self.locator.problem(path, text, word=name, known=self.metrics.names)

    def _misfits(self, at: Path, expectation: Expectation) -> Iterator[Problem]:
        """Yield a problem for each replica or time that a variant it applies to does not have."""
        asked = self.metrics.ask(expectation.metric)
        concerned = [expectation.variant] if expectation.variant is not None else list(self.variants)
        for scenario in (self.variants[name] for name in concerned if name in self.variants):
            if asked is not None:
                yield from self._model_problems(at, expectation, asked, scenario)
                yield from self._replica_problems(at, asked, scenario)
            yield from self._window_problems(at, expectation, scenario)

    def _model_problems(
        self, at: Path, expectation: Expectation, asked: AskedMetric, scenario: Scenario
    ) -> Iterator[Problem]:
        models = tuple(model.name for model in scenario.models)
        if expectation.model is not None and expectation.metric not in self.metrics.of_model:
            families = dict.fromkeys(f"{name.partition('.')[0]}.*" for name in self.metrics.of_model)
            text = f"{found(expectation.metric)} is not taken per model; allowed with a model: {listed(families)}"
            yield self.locator.problem((*at, "metric"), text)
        if expectation.model is not None and expectation.model not in models:
            yield self._unknown((*at, "model"), expectation.model, "model", models)
        if asked.model is not None and asked.model not in models:
            yield self._unknown((*at, "metric"), asked.model, "model", models)
        elif asked.model is not None and len(models) == 1:
            text = f"found the model {asked.model}, the only one; allowed: the name without it"
            yield self.locator.problem((*at, "metric"), text)
        elif asked.replica is not None and asked.model is None and len(models) > 1:
            text = "found a replica without its model; allowed: replicas.<model>@<node>#<index>, as there are several"
            yield self.locator.problem((*at, "metric"), text)

    def _replica_problems(self, at: Path, asked: AskedMetric, scenario: Scenario) -> Iterator[Problem]:
        if asked.replica is None:
            return
        slots = {node.name: node.slots for node in scenario.nodes}
        name, index = asked.replica
        if name not in slots:
            yield self._unknown((*at, "metric"), name, "node", slots)
        elif index >= slots[name]:
            text = f"found replica {index} of {name}; allowed: an index below its slots, {slots[name]}"
            yield self.locator.problem((*at, "metric"), text)

    def _window_problems(self, at: Path, expectation: Expectation, scenario: Scenario) -> Iterator[Problem]:
        if expectation.after_ns is not None and expectation.after_ns >= scenario.duration_ns:
            limit = format_duration(scenario.duration_ns)
            text = f"found {format_duration(expectation.after_ns)}; allowed: less than the duration, {limit}"
            yield self.locator.problem((*at, "after"), text)
        if expectation.before_ns is not None and expectation.before_ns <= scenario.warmup_ns:
            warmup = format_duration(scenario.warmup_ns)
            text = f"found {format_duration(expectation.before_ns)}; allowed: later than the warm-up, {warmup}"
            yield self.locator.problem((*at, "before"), text)

    def _unknown(self, path: Path, name: str, what: str, known: Iterable[str]) -> Problem:
        text = f"{found(name)} is not a {what}; allowed: {listed(known)}"
        return self.locator.problem(path, text, word=name, known=tuple(known))
