"""From a scenario file to typed scenarios: one for each variant, or every fault in it at once."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path as FilePath
from shlex import join
from typing import Any

from pydantic import ValidationError

from sim.scenario.checks import contradictions
from sim.scenario.expectations import ExpectationChecks
from sim.scenario.policies.check import PolicyRules
from sim.scenario.references import reference_problems
from sim.scenario.regressions import sound_regression
from sim.scenario.spec.expectation import Expectation
from sim.scenario.spec.regression import Regression
from sim.scenario.spec.router import RouterSpec
from sim.scenario.spec.schema import Scenario
from sim.scenario.spec.workload import TraceReader
from sim.scenario.text.errors import Path, Problem, ScenarioError, found
from sim.scenario.text.explain import explain
from sim.scenario.text.merge import (
    OF_THE_FILE,
    Locator,
    Override,
    merged,
    names_profile,
    overridden,
    parse_override,
    variant_document,
)
from sim.scenario.text.source import Source, read_bytes, read_file
from sim.scenario.text.trace_file import BadTrace, Trace, TraceColumns, find_trace, read_trace
from sim.scenario.vocabulary import Vocabulary

MOST_VARIANTS = 64
MOST_VALUES_OF_VARIANTS = 250_000
"""Each variant is checked whole, so the time for that goes with their number times the values of the file."""
ONLY_VARIANT = "default"
"""Name of the variant of a file that declares none."""
_NO_FILE = FilePath("<text>")


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A scenario file, read and checked."""

    path: FilePath
    """Path as the caller gave it."""
    name: str
    about: str
    variants: dict[str, Scenario]
    """Complete scenarios by variant name, in the file's order."""
    expect: tuple[Expectation, ...]
    regression: Regression | None
    """Which known regression the file is about; None for most files."""
    _loading: "_Loading" = field(repr=False, compare=False)

    def command(self, variants: Iterable[str], seed: int) -> str:
        """Return the command line that runs the variants on a seed; empty for a text, or with policies from Python."""
        return self._loading.command(variants, seed)

    def with_policies(self, policies: Mapping[str, object]) -> "ScenarioFile":
        """Return the file as `load` would have read it with these policies too."""
        return self._loading.with_policies(policies).result()


def load(
    path: str | FilePath,
    sets: Sequence[str] = (),
    allow_dirs: Sequence[str | FilePath] = (),
    *,
    metrics: Vocabulary,
    allow_code: bool = False,
    policies: Mapping[str, object] | None = None,
) -> ScenarioFile:
    """Read a scenario file, whose expectations may ask for these `metrics`; else as `sim.load` says."""
    path = FilePath(path)
    folders = [path.parent, *(FilePath(folder) for folder in allow_dirs)]
    rules = PolicyRules(path.parent, allow_code, policies or {})
    return _Loading(read_file(path), path, folders, sets, metrics, rules).result()


def loads(
    text: str,
    sets: Sequence[str] = (),
    folder: str | FilePath = ".",
    *,
    metrics: Vocabulary,
    allow_code: bool = False,
    policies: Mapping[str, object] | None = None,
) -> ScenarioFile:
    """Read a scenario from a text, as `load` does from a file; files that it names are looked for below `folder`."""
    content = text.encode("utf-8", "surrogatepass")
    rules = PolicyRules(FilePath(folder), allow_code, policies or {})
    return _Loading(read_bytes(content, "<text>"), _NO_FILE, [FilePath(folder)], sets, metrics, rules).result()


@dataclass
class _Loading:
    """The reading of one file. It collects problems until the end."""

    source: Source
    path: FilePath
    folders: Sequence[FilePath]
    sets: Sequence[str]
    metrics: Vocabulary
    rules: PolicyRules
    problems: dict[Problem, None] = field(default_factory=dict)
    """Each problem once, in order of discovery: a fault of the base occurs in every variant."""

    def with_policies(self, policies: Mapping[str, object]) -> "_Loading":
        """Return what reads the same file anew, with nothing found yet."""
        rules = PolicyRules(self.rules.folder, self.rules.allow_code, {**self.rules.given, **policies})
        return _Loading(self.source, self.path, self.folders, self.sets, self.metrics, rules)

    def command(self, variants: Iterable[str], seed: int) -> str:
        if self.path == _NO_FILE or self.rules.given:
            return ""
        options = [("--variant", name) for name in variants] if "variants" in self.source.data else []
        options += [("--seed", str(seed)), *(("--set", text) for text in self.sets)]
        options += [("--allow-dir", str(folder)) for folder in self.folders[1:]]
        flags = ["--allow-code"] if self.rules.allow_code else []
        return join(["sim", "run", str(self.path), *(word for option in options for word in option), *flags])

    def result(self) -> ScenarioFile:
        document = self.source.data
        if not isinstance(document, dict):
            locator = Locator(self.source, document)
            raise ScenarioError([locator.problem((), f"found {found(document)}; allowed: a mapping with name, ...")])
        overrides = self._overrides()
        read = _trace_reader(self.folders)
        locators = dict(self._variants(document, overrides))
        locators |= self._variants_of_policies(document, overrides, locators)
        variants = {
            name: scenario
            for name, locator in locators.items()
            if (scenario := self._scenario(locator, read)) is not None
        }
        self._check_unused_router(document)
        names = tuple(dict.fromkeys((*self._names(document), *locators)))
        whole = Locator(self.source, document)
        expect = ExpectationChecks(whole, names, variants, self.metrics).sound(self._add)
        regression = sound_regression(whole, names, self.metrics, self._add)
        if self.problems:
            raise ScenarioError(sorted(self.problems, key=lambda problem: problem.order))
        first = next(iter(variants.values()))
        return ScenarioFile(self.path, first.name, first.about, variants, expect, regression, self.with_policies({}))

    def _add(self, problem: Problem) -> None:
        self.problems.setdefault(problem)

    def _overrides(self) -> list[Override]:
        overrides = []
        for text in self.sets:
            try:
                overrides.append(parse_override(text))
            except ValueError as error:
                self._add(Problem("--set", "", str(error)))
        return overrides

    def _names(self, document: dict[str, Any]) -> tuple[str, ...]:
        variants = document.get("variants", {ONLY_VARIANT: {}})
        return tuple(variants) if isinstance(variants, dict) else ()

    def _variants(self, document: dict[str, Any], overrides: list[Override]) -> Iterator[tuple[str, Locator]]:
        """Yield each variant's merged document; one that cannot be merged is a problem instead."""
        base = {key: value for key, value in document.items() if key not in OF_THE_FILE}
        whole = Locator(self.source, document)
        variants = document.get("variants", {ONLY_VARIANT: {}})
        declared = "variants" in document
        if not isinstance(variants, dict) or not 0 < len(variants) <= MOST_VARIANTS:
            text = f"found {found(variants)}; allowed: a mapping with 1 to {MOST_VARIANTS} variants"
            self._add(whole.problem(("variants",), text))
            variants, declared = {ONLY_VARIANT: {}}, False
        values = len(variants) * len(self.source.values)
        if declared and values > MOST_VALUES_OF_VARIANTS:
            text = f"found {len(variants)} variants of up to {len(self.source.values):,} values each; "
            self._add(whole.problem(("variants",), f"{text}allowed: {MOST_VALUES_OF_VARIANTS:,} values in all"))
            variants, declared = {ONLY_VARIANT: {}}, False
        for name, changes in variants.items():
            if not isinstance(changes, dict):
                text = f"found {found(changes)}; allowed: a mapping of changes, or {{}} for none"
                self._add(whole.problem(("variants", name), text))
                continue
            prefixes: list[Path] = [("variants", name), ()] if declared else [()]
            yield name, self._overridden(variant_document(base, changes), prefixes, overrides)

    def _variants_of_policies(
        self, document: dict[str, Any], overrides: list[Override], declared: Mapping[str, Locator]
    ) -> dict[str, Locator]:
        """Return a variant for each policy that was handed over and that none of the declared ones names."""
        base = {key: value for key, value in document.items() if key not in OF_THE_FILE}
        extra = {}
        for name in self.rules.not_named_by(declared.values()):
            if name in declared:
                raise ValueError(f"policies: {self.path} has a variant {name!r} that does not name this policy")
            extra[name] = self._overridden(merged(base, {"router": {"policy": name}}), [()], overrides)
        return extra

    def _check_unused_router(self, document: dict[str, Any]) -> None:
        """Check the base's router where no variant uses it, because each names a profile of its own."""
        variants = document.get("variants", {})
        if "router" not in document or not isinstance(variants, dict) or not variants:
            return
        if all(map(names_profile, variants.values())):
            try:
                RouterSpec.model_validate(document["router"])
            except ValidationError as error:
                for problem in explain(error, RouterSpec, Locator(self.source, document), ("router",)):
                    self._add(problem)

    def _overridden(self, document: Any, prefixes: list[Path], overrides: list[Override]) -> Locator:
        applied = {}
        for override in overrides:
            try:
                document = overridden(document, override.path, override.value)
                applied[override.path] = override
            except ValueError as error:
                self._add(Problem(override.place, "", str(error)))
        return Locator(self.source, document, prefixes, applied)

    def _scenario(self, locator: Locator, read: TraceReader) -> Scenario | None:
        """Return the variant, and add its problems; None if it does not fit the schema."""
        bad_references = list(reference_problems(locator))
        for problem in (*bad_references, *self.rules.problems(locator)):
            self._add(problem)
        try:
            scenario = Scenario.model_validate(locator.document, context={"read_trace": read})
        except ValidationError as error:
            for problem in explain(error, Scenario, locator, beside=OF_THE_FILE):
                self._add(problem)
            return None
        for path, text in contradictions(scenario) if not bad_references else ():
            self._add(locator.problem(path, text))
        return self.rules.settled(scenario, locator)


def _trace_reader(folders: Sequence[FilePath]) -> TraceReader:
    """Return a reader that looks below the folders and reads each file once, however many variants share it."""
    known: dict[tuple[str, TraceColumns], Trace | BadTrace] = {}

    def read(written: str, columns: TraceColumns) -> Trace:
        if (written, columns) not in known:
            try:
                known[written, columns] = read_trace(find_trace(written, folders), columns)
            except BadTrace as error:
                known[written, columns] = error
        answer = known[written, columns]
        if isinstance(answer, BadTrace):
            raise answer
        return answer

    return read
