"""The regression corpus: the scenario files that say which known regression they are about."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import sim
from sim.scenario import ScenarioError, ScenarioFile
from sim.scenario.spec.regression import DecidedBy, Regression
from sim.scenario.text.errors import Problem
from sim.study.scenarios import files_below, load

_WORDS: Mapping[DecidedBy, str] = {
    "policy": "the policy",
    "pick_mode": "the pick mode",
    "client_cache": "the client cache",
    "probes": "the probes",
    "in_flight": "the counts of requests in flight",
    "placement": "placement",
    "loading": "loading",
    "unloading": "unloading",
    "background_loops": "the background loops",
    "retries": "retries",
    "worker": "the worker",
}


@dataclass(frozen=True, slots=True)
class KnownRegression:
    """A file of the corpus."""

    file: ScenarioFile
    about: Regression
    """What the file says of it."""

    @property
    def name(self) -> str:
        """The scenario's name, which says what goes wrong."""
        return self.file.name

    @property
    def decided_by(self) -> str:
        """The part of the router that brings it about, in words."""
        return _WORDS[self.about.decided_by]


def corpus_folder() -> Path:
    """Return the folder of the corpus that comes with `sim`, relative to the working directory if it lies below it.

    A checkout has it in `scenarios/`, an installed package within itself.
    """
    package = Path(sim.__file__).parent
    places = (package / "regressions", package.parent / "scenarios" / "regressions")
    folder = next(place for place in places if place.is_dir())
    here = Path.cwd()
    return folder.relative_to(here) if folder.is_relative_to(here) else folder


def _as_written(_folder: Path) -> Sequence[str]:
    return ()


def load_corpus(
    folder: Path,
    sets: Callable[[Path], Sequence[str]] = _as_written,
    *,
    allow_code: bool = False,
    policies: Mapping[str, object] | None = None,
) -> list[KnownRegression]:
    """Read the files below the folder that have a `regression` block, in the order of their paths.

    `sets` tells which values are overridden in the files of a folder; the other options are those of `load`. Raises
    ScenarioError with the problems of all files: a mistake in an option shows in each of them, and is told once.
    """
    known: list[KnownRegression] = []
    problems: dict[Problem, None] = {}
    for path in files_below(folder):
        try:
            known += _known(load(path, sets(path.parent), allow_code=allow_code, policies=policies))
        except ScenarioError as error:
            problems |= dict.fromkeys(error.problems)
    if problems:
        raise ScenarioError(list(problems))
    return known


def _known(file: ScenarioFile) -> Iterator[KnownRegression]:
    if file.regression is not None:
        yield KnownRegression(file, file.regression)
