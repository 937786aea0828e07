"""Which of two variants is better: run both on the same seeds, as many as the question needs."""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from pathlib import Path

from sim.measure.differences import Demand, Difference
from sim.measure.judged_run import JudgedRun
from sim.scenario import ScenarioFile
from sim.scenario.spec.base import MOST_SEED
from sim.scenario.text.errors import listed
from sim.study.batch import Job, RunSpec, Watcher, run_batch
from sim.study.comparison import Comparison, Question, checked_metric, compared
from sim.study.errors import NoSuchVariant
from sim.study.process_executor import sharing_out
from sim.study.scenarios import as_loaded, checked_variant


@dataclass(frozen=True, slots=True)
class Replications:
    """On how many seeds to run: one batch, or batch after batch until the intervals are narrow."""

    first_seed: int
    batch: int
    """Seeds, at least 2."""
    precision: float | None = None
    """Part of the base's mean that half of every interval must not exceed; None for one batch and no such demand."""
    most: int = 1000
    """Seeds, if the intervals do not get that narrow."""

    def __post_init__(self) -> None:
        if self.batch < 2:
            raise ValueError(f"an interval needs at least 2 seeds, not {self.batch}")
        if self.precision is not None and not self.precision > 0:
            raise ValueError(f"a precision is more than 0, not {self.precision}")
        if self.precision is not None and self.most < self.batch:
            raise ValueError(f"at most {self.most} seeds is less than the first batch, {self.batch}")
        if not 0 <= self.first_seed <= MOST_SEED - self.budget + 1:
            raise ValueError(f"seeds {self.first_seed} and the next {self.budget - 1} are not from 0 to {MOST_SEED}")

    @property
    def budget(self) -> int:
        """Seeds at most."""
        return self.batch if self.precision is None else self.most

    def batches(self) -> Iterator[range]:
        """Yield the seeds of each batch; the last one may be short."""
        end = self.first_seed + self.budget
        for first in range(self.first_seed, end, self.batch):
            yield range(first, min(first + self.batch, end))


def compare(
    file: ScenarioFile | str | Path,
    a: str | None = None,
    b: str | Sequence[str] | None = None,
    metrics: Sequence[str] | None = None,
    *,
    reps: int = 20,
    precision: float | None = None,
    max_reps: int = 1000,
    seed: int | None = None,
    confidence: float = 0.95,
    margin: float = 0.01,
    policies: Mapping[str, object] | None = None,
    allow_code: bool = False,
    jobs: int = 1,
    executor: Executor | None = None,
) -> Comparison:
    """Compare variants `b` of a scenario with its variant `a`, by paired differences over `reps` seeds.

    The runs of a seed share their requests (common random numbers), so that only what the variants do differently is
    left in the differences. Without `a` the file's first variant is the base, if it has two; without `b` every other
    variant is compared. `metrics` are names of the catalogue, `CHIEF_METRICS` unless given. The seeds are `seed`, that
    of the scenario unless given, and the next ones.

    With a `precision`, say 0.02, batches of `reps` seeds are run until half of every interval is within that part of
    a's mean, or `max_reps` seeds were run. Such a rule keeps the confidence only in the limit of narrow intervals (Chow
    & Robbins, Annals of Mathematical Statistics 36, 1965): it likes to stop where the spread happens to look small. On
    M/M/1 that cost one point of 95 in batches of 20 and up to four in batches of 5.

    `policies`, `allow_code`, `jobs` and `executor` are those of `run_all`. Raises NoSuchVariant, NoSuchMetric,
    ScenarioError if the file cannot be used, WorkerDied if a process is killed, and ValueError for a number that makes
    no sense.
    """
    loaded = as_loaded(file, policies, allow_code=allow_code)
    base, others = sides(loaded, a, (b,) if isinstance(b, str) else b)
    question = asked(base, others, metrics, confidence, margin)
    first = loaded.variants[base].seed if seed is None else seed
    replications = Replications(first, reps, precision, max_reps)
    with sharing_out(executor, min(jobs, reps)) as used:
        return compare_variants(loaded, question, replications, used)


def compare_variants(
    file: ScenarioFile,
    question: Question,
    replications: Replications,
    executor: Executor | None = None,
    watcher: Watcher | None = None,
) -> Comparison:
    """Run what the question needs and answer it. Raises WorkerDied."""
    # Expectations are not asked for: they are about single runs, and some take long to judge.
    file = replace(file, expect=())
    runs: list[JudgedRun] = []
    for seeds in replications.batches():
        jobs = [Job(file, tuple(RunSpec(name, seed) for name in (question.a, *question.b))) for seed in seeds]
        runs += [run for of_job in run_batch(jobs, executor, watcher) for run in of_job]
        comparison = compared(file.name, question, runs)
        if replications.precision is None or all(_is_precise(row, replications.precision) for row in comparison.rows):
            return comparison
    return replace(comparison, remarks=(*comparison.remarks, _unfinished(comparison, replications)))


def sides(file: ScenarioFile, a: str | None, b: Sequence[str] | None) -> tuple[str, tuple[str, ...]]:
    """Return the base and the variants to compare with it, where the file leaves no doubt about what is not named.

    Raises NoSuchVariant.
    """
    others = [] if b is None else [checked_variant(file, name) for name in b]
    rest = [name for name in file.variants if name not in others]
    if len(file.variants) < 2:
        raise NoSuchVariant(f"{file.path} has one variant; a comparison needs two")
    if a is None and len(file.variants) > 2:
        raise NoSuchVariant(f"{file.path} has several variants; name two of them as a and b: {listed(file.variants)}")
    base = checked_variant(file, a if a is not None or not rest else rest[0])
    compared_with_it = tuple(dict.fromkeys(others or (name for name in file.variants if name != base)))
    if base in compared_with_it:
        raise NoSuchVariant(f"{file.path}: {base} cannot be compared with itself; allowed: {listed(rest)}")
    return base, compared_with_it


def asked(a: str, b: tuple[str, ...], metrics: Sequence[str] | None, confidence: float, margin: float) -> Question:
    """Return the question. Raises NoSuchMetric, and ValueError for a number that makes no sense."""
    if not 0 < confidence < 1:
        raise ValueError(f"a confidence is between 0 and 1, not {confidence}")
    if not margin >= 0:
        raise ValueError(f"a margin is 0 or more, not {margin}")
    chosen = None if not metrics else tuple(dict.fromkeys(map(checked_metric, metrics)))
    return Question(a, b, chosen, Demand(confidence, margin))


def _is_precise(row: Difference, precision: float) -> bool:
    """Tell whether the interval is narrow enough; one without pairs would not come with more seeds."""
    if row.a is None:
        return True
    return row.interval is not None and row.interval.half_width <= precision * abs(row.a)


def _unfinished(comparison: Comparison, replications: Replications) -> str:
    precision = replications.precision or 0
    wide = dict.fromkeys(row.metric for row in comparison.rows if not _is_precise(row, precision))
    return (
        f"After {len(comparison.seeds)} seeds half of the interval is still wider than {precision * 100:.3g} % of "
        f"{comparison.question.a} in {', '.join(wide)}."
    )
