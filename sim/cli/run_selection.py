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
    repetitions: int | None = None
    """How many seeds at least; as many as the expectations need if None, and only `seed` if that is given."""

    @property
    def asked(self) -> int:
        """Number of seeds on which every expectation is judged."""
        return self.repetitions or 1

    def seeds(self, file: ScenarioFile) -> int:
        """Return on how many seeds each variant runs: more than asked if an expectation is judged on more."""
        if self.repetitions is None and self.seed is not None:
            return 1
        chosen = self.first_seeds(file).keys()
        needed = [one.over or 1 for one in file.expect if chosen >= {*one.others, *filter(None, [one.variant])}]
        return max(self.asked, *needed, 1)

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
        count = self.seeds(file)
        if max(self.first_seeds(file).values(), default=0) + count - 1 > MOST_SEED:
            yield f"{file.path}: {count} seeds go beyond the last one; allowed: up to {MOST_SEED}"


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
