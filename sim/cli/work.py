"""The work of `sim run`: a job is all that is done for one scenario and one seed."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sim import __version__
from sim.measure.expectations import Verdict
from sim.observer import RunView
from sim.report.column import VariantColumn
from sim.report.document import document, to_json
from sim.scenario import ScenarioFile
from sim.study.run import RunResult, judge, run


@dataclass(frozen=True, slots=True)
class Run:
    """One variant on one seed, and where its results go."""

    variant: str
    seed: int
    folder: Path | None


@dataclass(frozen=True, slots=True)
class Job:
    """Runs that are judged together, because expectations compare them: the chosen variants on one seed."""

    file: ScenarioFile
    runs: tuple[Run, ...]

    def __str__(self) -> str:
        """Name it in a message."""
        return f"{self.file.name}, seed {self.runs[0].seed}"


@dataclass(frozen=True, slots=True)
class Figures:
    """What is kept of a run once its tables are written."""

    variant: str
    seed: int
    digest: str
    metrics: dict[str, float]
    verdicts: tuple[Verdict, ...]


class Watcher(Protocol):
    """Is told how the work gets on. It is an observer of each run too, which hands it the run's clock."""

    def begin(self, view: RunView) -> None:
        """Note that the run that was started begins now."""

    def started(self, run: Run) -> None:
        """Note which run begins next."""

    def done(self) -> None:
        """Note that a job is done."""


def do(job: Job, watcher: Watcher | None = None) -> list[Figures]:
    """Run and judge the job, and write what it is to write. Raises CannotWrite."""
    results: dict[str, RunResult] = {}
    observers = [] if watcher is None else [watcher]
    for one in job.runs:
        if watcher is not None:
            watcher.started(one)
        results[one.variant] = run(job.file, one.variant, one.seed, observers)
    verdicts = judge(job.file.expect, results)
    figures = [
        Figures(one.variant, one.seed, results[one.variant].digest, results[one.variant].metrics, _of(one, verdicts))
        for one in job.runs
    ]
    for one, kept in zip(job.runs, figures, strict=True):
        if one.folder is not None:
            # Here, because it imports pandas and pyarrow.
            from sim.cli.run_folder import save_run

            save_run(one.folder, results[one.variant], summary(job.file.name, [kept]))
    return figures


def columns(figures: Sequence[Figures]) -> list[VariantColumn]:
    """Return the runs by variant, each in the order of its seeds, as reports take them."""
    by_variant: dict[str, list[Figures]] = {}
    for one in figures:
        by_variant.setdefault(one.variant, []).append(one)
    return [
        VariantColumn(
            variant,
            [one.seed for one in runs],
            [one.metrics for one in runs],
            [one.digest for one in runs],
            [one.verdicts for one in runs],
        )
        for variant, runs in by_variant.items()
    ]


def summary(scenario: str, figures: Sequence[Figures]) -> str:
    """Return the JSON document of a scenario's runs."""
    return to_json(document(__version__, scenario, columns(figures)))


def _of(one: Run, verdicts: Sequence[Verdict]) -> tuple[Verdict, ...]:
    return tuple(verdict for verdict in verdicts if verdict.variant == one.variant)
