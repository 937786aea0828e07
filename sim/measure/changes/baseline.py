"""A baseline for those who keep one in git: what runs measured, as a small text with a line for each figure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from statistics import fmean
from typing import Any, NamedTuple, Self

import yaml

from sim.measure.judged_run import JudgedRun, seeds_in_words
from sim.measure.statistics import mean_interval

_HEAD = """\
# What `sim run --save-baseline` measured. `sim run --baseline` tells what has changed since.
# A figure is the mean over the seeds, ± half of its 95 % interval.
"""
_KEYS = ("seeds", "runs", "digest", "figures")


class BadBaseline(ValueError):
    """The text is no baseline."""


class Figure(NamedTuple):
    """One metric over all seeds, rounded, so that what nobody would notice changes no line of the file."""

    mean: float
    half_width: float
    """Half of the 95 % interval; 0 of one seed, which says nothing of the spread."""

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Round the mean to five digits, and half of its interval to three."""
        half_width = mean_interval(values).half_width if len(values) > 1 else 0
        return cls(float(f"{fmean(values):.5g}"), float(f"{half_width:.3g}"))

    @classmethod
    def read(cls, text: str) -> Self:
        """Return what `__str__` wrote. Raises ValueError."""
        mean, _, half_width = text.partition(" ± ")
        return cls(float(mean), float(half_width or 0))

    def __str__(self) -> str:
        return f"{self.mean:g} ± {self.half_width:g}" if self.half_width else f"{self.mean:g}"


@dataclass(frozen=True, slots=True)
class BaselineEntry:
    """What is kept of one variant."""

    seeds: str
    """Such as `1 to 20`."""
    runs: int
    digest: str
    """Of the one run, or of the digests of all of them."""
    figures: Mapping[str, Figure]
    """By metric."""


Baseline = Mapping[tuple[str, str], BaselineEntry]
"""By scenario and variant."""


def entry_of(runs: Sequence[JudgedRun], metrics: Iterable[str]) -> BaselineEntry:
    """Return what is kept of a variant's runs: of the metrics, and of those expected, what applies to every run."""
    expected = (verdict.metric for verdict in runs[0].verdicts)
    figures = {
        metric: Figure.of([run.metrics[metric] for run in runs])
        for metric in dict.fromkeys([*metrics, *expected])
        if all(metric in run.metrics for run in runs)
    }
    return BaselineEntry(seeds_in_words([run.seed for run in runs]), len(runs), _digest(runs), figures)


def baseline_text(baseline: Baseline) -> str:
    """Return the text of a baseline: scenarios by name, variants and figures in their own order."""
    content: dict[str, dict[str, Any]] = {}
    for (scenario, variant), entry in sorted(baseline.items(), key=lambda item: item[0][0]):
        figures = {metric: str(figure) for metric, figure in entry.figures.items()}
        kept = {"seeds": entry.seeds, "runs": entry.runs, "digest": entry.digest, "figures": figures}
        content.setdefault(scenario, {})[variant] = kept
    return _HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


def read_baseline(text: str) -> Baseline:
    """Return the baseline of a text. Raises BadBaseline."""
    try:
        return dict(_entries(yaml.safe_load(text)))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise BadBaseline(f"{where}found what is no YAML; allowed: what --save-baseline writes") from None


def _entries(content: Any) -> Iterator[tuple[tuple[str, str], BaselineEntry]]:
    for scenario, variants in _mapping(content, "the file").items():
        for variant, kept in _mapping(variants, scenario).items():
            place = f"{scenario}, {variant}"
            if missing := [key for key in _KEYS if key not in _mapping(kept, place)]:
                raise BadBaseline(f"{place}: found no {missing[0]}; allowed: what --save-baseline writes")
            if not isinstance(kept["runs"], int):
                raise BadBaseline(f"{place}, runs: found {str(kept['runs'])[:40]!a}; allowed: a whole number")
            figures = {
                name: _figure(f"{place}, {name}", text)
                for name, text in _mapping(kept["figures"], f"{place}, figures").items()
            }
            yield (scenario, variant), BaselineEntry(str(kept["seeds"]), kept["runs"], str(kept["digest"]), figures)


def _mapping(content: Any, place: str) -> dict[str, Any]:
    if not isinstance(content, dict):
        raise BadBaseline(f"{place}: found {str(content)[:40]!a}; allowed: keys with values")
    return content


def _figure(place: str, text: Any) -> Figure:
    try:
        return Figure.read(str(text))
    except ValueError:
        raise BadBaseline(f"{place}: found {str(text)[:40]!a}; allowed: a figure such as 0.95 ± 0.01") from None


def _digest(runs: Sequence[JudgedRun]) -> str:
    if len(runs) == 1:
        return runs[0].digest
    return blake2b(" ".join(run.digest for run in runs).encode(), digest_size=16).hexdigest()
