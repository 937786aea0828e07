"""A baseline for those who keep one in git: what runs measured, as a small text with a line for each figure."""

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from statistics import fmean
from typing import Annotated, Any, NamedTuple, Self

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, PositiveInt, TypeAdapter, ValidationError

from sim.measure.judged_run import JudgedRun, seeds_in_words
from sim.measure.statistics import mean_interval

_HEAD = """\
# What `sim run --save-baseline` measured. `sim run --baseline` tells what has changed since.
# A figure is the mean over the seeds, ± half of its 95 % interval.
"""


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
        """Return the figure that was written so. Raises ValueError."""
        mean, _, half_width = text.partition(" ± ")
        return cls(float(mean), float(half_width or 0))

    def written(self) -> str | float:
        """Return what stands in the file: a number if there is nothing else."""
        if self.half_width:
            return f"{self.mean:g} ± {self.half_width:g}"
        return int(self.mean) if self.mean.is_integer() else self.mean


def _figure(text: object) -> Figure:
    if isinstance(text, Figure):
        return text
    try:
        return Figure.read(str(text))
    except ValueError:
        raise ValueError("allowed: a figure such as 0.95 ± 0.01") from None


class BaselineEntry(BaseModel):
    """What is kept of one variant."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seeds: str
    """Such as `1 to 20`."""
    runs: PositiveInt
    digest: str
    """That of the run; of several runs, the digest of their digests."""
    figures: dict[str, Annotated[Figure, BeforeValidator(_figure)]]
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
    seeds = seeds_in_words([run.seed for run in runs])
    return BaselineEntry(seeds=seeds, runs=len(runs), digest=_digest(runs), figures=figures)


def baseline_text(baseline: Baseline) -> str:
    """Return the text of a baseline: scenarios by name, variants and figures in their own order."""
    content: dict[str, dict[str, Any]] = {}
    for (scenario, variant), entry in sorted(baseline.items(), key=lambda item: item[0][0]):
        figures = {metric: figure.written() for metric, figure in entry.figures.items()}
        content.setdefault(scenario, {})[variant] = {**entry.model_dump(exclude={"figures"}), "figures": figures}
    return _HEAD + yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)


def read_baseline(text: str) -> Baseline:
    """Return the baseline of a text. Raises BadBaseline."""
    try:
        content = TypeAdapter(dict[str, dict[str, BaselineEntry]]).validate_python(yaml.safe_load(text))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}: " if mark is not None else ""
        raise BadBaseline(f"{where}found what is no YAML; allowed: what --save-baseline writes") from None
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        place = ", ".join(map(str, fault["loc"])) or "the file"
        raise BadBaseline(
            f"{place}: found {str(fault['input'])[:40]!r}; {fault['msg'].removeprefix('Value error, ').lower()}"
        ) from None
    return {(scenario, variant): entry for scenario, of_it in content.items() for variant, entry in of_it.items()}


def _digest(runs: Sequence[JudgedRun]) -> str:
    if len(runs) == 1:
        return runs[0].digest
    return blake2b(" ".join(run.digest for run in runs).encode(), digest_size=16).hexdigest()
