"""What `sim run` is to run: scenario files, variants and seeds, checked before anything runs."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import isdir
from pathlib import Path

from sim.cli.process.exits import BadInput
from sim.scenario import ScenarioError, ScenarioFile
from sim.scenario.spec.base import MOST_SEED
from sim.scenario.text.errors import did_you_mean, found, listed
from sim.study.scenarios import load


@dataclass(frozen=True, slots=True)
class RunSelection:
    """Which runs of each scenario."""

    variants: tuple[str, ...]
    """Chosen variants; all if empty."""
    seed: int | None
    """First seed; each variant's own if None."""
    repetitions: int

    def first_seeds(self, file: ScenarioFile) -> dict[str, int]:
        """Return the chosen variants, in the file's order, each with its first seed."""
        return {
            name: scenario.seed if self.seed is None else self.seed
            for name, scenario in file.variants.items()
            if not self.variants or name in self.variants
        }

    def problems(self, file: ScenarioFile) -> Iterator[str]:
        """Yield a problem for each chosen variant or seed that the scenario does not have."""
        for name in self.variants:
            if name not in file.variants:
                hint = did_you_mean(name, file.variants)
                yield f"{file.path}: no variant {name!a}; allowed: {listed(file.variants)}{hint}"
        if max(self.first_seeds(file).values(), default=0) + self.repetitions - 1 > MOST_SEED:
            yield f"{file.path}: {self.repetitions} seeds go beyond the last one; allowed: up to {MOST_SEED}"


def load_all(
    paths: Sequence[Path],
    selection: RunSelection,
    sets: Sequence[str],
    allow_dirs: Sequence[Path],
    *,
    allow_code: bool = False,
) -> list[ScenarioFile]:
    """Load every file. BadInput lists all problems of the files and of the selection."""
    files: list[ScenarioFile] = []
    problems = [
        f"--allow-dir: {found(str(folder))} is not a folder; allowed: a folder that exists"
        for folder in allow_dirs
        if not isdir(folder)
    ]
    for path in paths:
        try:
            file = load(path, sets, allow_dirs, allow_code=allow_code)
        except ScenarioError as error:
            problems += str(error).splitlines()
        else:
            files.append(file)
            problems += selection.problems(file)
    if problems:
        # A mistake on the command line shows in every file, and is reported once.
        raise BadInput("\n".join(dict.fromkeys(problems)))
    return files
