"""The scenarios that mutants are run against, and how the right code does on them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

from sim.measure.expectations import Verdict
from sim.scenario import ScenarioFile
from sim.study.batch import Job, do, jobs_of
from sim.study.scenarios import load
from sim.study.selection import RunSelection


@dataclass(frozen=True, slots=True)
class Trial:
    """All variants of a scenario on one seed."""

    job: Job

    @property
    def scenario(self) -> str:
        """The scenario's name."""
        return self.job.file.name

    @property
    def seed(self) -> int:
        """The seed, of the first variant if they differ."""
        return self.job.runs[0].seed

    def verdicts(self) -> list[Verdict]:
        """Run the variants with the code as it is now, and judge every expectation that is about single seeds."""
        return [verdict for run in do(self.job) for verdict in run.verdicts if not _is_over_seeds(verdict)]


@dataclass
class Corpus:
    """Scenario files, each tried on the same number of seeds."""

    files: Sequence[ScenarioFile]
    seeds: int
    _held: dict[tuple[str, int], list[bool]] = field(default_factory=dict)

    @classmethod
    def read(cls, paths: Sequence[Path], seeds: int) -> "Corpus":
        """Read the files; those with the shortest runs come first. Raises ScenarioError."""
        files = [load(path) for path in paths]
        return cls(sorted(files, key=_longest_ns), seeds)

    def trials(self, file: ScenarioFile) -> Iterator[Trial]:
        """Yield the scenario on one seed after the other, from its own on."""
        selection = RunSelection((), None, self.seeds)
        yield from map(Trial, islice(jobs_of(file, selection), self.seeds))

    def held(self, trial: Trial) -> list[bool]:
        """Return which of the trial's verdicts the right code passes; it is tried once. No mutant may be applied."""
        key = (trial.scenario, trial.seed)
        if key not in self._held:
            self._held[key] = [verdict.passed is True for verdict in trial.verdicts()]
        return self._held[key]


def _is_over_seeds(verdict: Verdict) -> bool:
    return verdict.expectation is not None and verdict.expectation.is_judged_over_seeds


def _longest_ns(file: ScenarioFile) -> int:
    return max(scenario.duration_ns for scenario in file.variants.values())
