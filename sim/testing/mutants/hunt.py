"""The hunt for mutants: which expectation of which scenario fails because of a slip."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from sim.measure.expectations import Verdict
from sim.testing.mutants.catalogue import MUTANTS
from sim.testing.mutants.corpus import Corpus, Trial
from sim.testing.mutants.mutant import Mutant, NoSuchPlace, applied


@dataclass(frozen=True, slots=True)
class Kill:
    """An expectation that the right code keeps and the mutant breaks."""

    scenario: str
    variant: str
    metric: str
    """With its window, if it is taken over a part of the run."""
    value: float | None
    """What the mutant made of it; None if the metric does not apply any more."""
    bound: str
    killed_on: int
    """Number of seeds on which the scenario killed the mutant, by this expectation or another."""
    seeds: int
    """Number of seeds on which it was tried."""

    def __str__(self) -> str:
        """Read as one line."""
        value = "absent" if self.value is None else f"{self.value:.6g}"
        seeds = f"{self.killed_on} of {self.seeds} seeds"
        return f"{self.scenario}, {self.variant}: {self.metric} is {value}, expected {self.bound}; {seeds}"


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a mutant."""

    mutant: str
    kills: tuple[Kill, ...]
    """The first kill, or one for each scenario that killed it where all were tried."""
    crashes: tuple[str, ...]
    """Each run that did not come to its end: a crash is no kill."""

    @property
    def killed_by(self) -> Kill | None:
        """The first kill; None if the mutant survived."""
        return next(iter(self.kills), None)


def hunted(name: str, paths: Sequence[Path], seeds: int, *, in_all: bool) -> Fate:
    """Return what becomes of the mutant of that name in these scenario files, which are read once in a process.

    Raises ScenarioError and NoSuchPlace.
    """
    return fate_of(MUTANTS[name], _corpus(tuple(paths), seeds), in_all=in_all)


def fate_of(mutant: Mutant, corpus: Corpus, *, in_all: bool = False) -> Fate:
    """Run the scenarios with the mutant in place until one kills it, or all of them if `in_all`.

    Each scenario is tried on its first seed. One that kills there is tried on its other seeds too, to count them. If
    none does, each is tried on its other seeds. Raises NoSuchPlace.
    """
    return _Hunt(mutant, corpus).fate(in_all=in_all)


@cache
def _corpus(paths: tuple[Path, ...], seeds: int) -> Corpus:
    return Corpus.read(paths, seeds)


class _Hunt:
    def __init__(self, mutant: Mutant, corpus: Corpus) -> None:
        self._mutant = mutant
        self._corpus = corpus
        self._crashes: list[str] = []

    def fate(self, *, in_all: bool) -> Fate:
        kills: list[Kill] = []
        for kill in self._kills():
            kills.append(kill)
            if not in_all:
                break
        return Fate(self._mutant.name, tuple(kills), tuple(self._crashes))

    def _kills(self) -> Iterator[Kill]:
        """Yield a kill for each scenario that has one: those that should notice first, the others after them."""
        files = sorted(self._corpus.files, key=lambda file: file.name not in self._mutant.seen_in)
        trials = [list(self._corpus.trials(file)) for file in files]
        has_killed = False
        for first, *rest in trials:
            if broken := self._broken(first):
                has_killed = True
                yield self._kill(broken[0], first, [True], rest)
        for of_file in trials if not has_killed else ():
            for place, trial in enumerate(of_file[1:], start=1):
                if broken := self._broken(trial):
                    yield self._kill(broken[0], trial, [False] * place + [True], of_file[place + 1 :])
                    break

    def _kill(self, broken: Verdict, trial: Trial, known: Sequence[bool], rest: Sequence[Trial]) -> Kill:
        """Return the kill by this verdict, after the rest of the scenario's seeds has been tried too."""
        killed = [*known, *(bool(self._broken(other)) for other in rest)]
        return Kill(
            trial.scenario,
            broken.variant,
            broken.figure_name,
            broken.value,
            broken.bound + (f" ({broken.reason})" if broken.reason else ""),
            sum(killed),
            len(killed),
        )

    def _broken(self, trial: Trial) -> list[Verdict]:
        """Return the verdicts that only the right code passes; none if the run crashes."""
        try:
            with applied(self._mutant):
                verdicts = trial.verdicts()
        except NoSuchPlace:
            raise
        # Whatever a wrong router raises, the hunt goes on.
        except Exception as error:
            self._crashes.append(f"{trial.scenario}, seed {trial.seed}: {type(error).__name__}: {error}")
            return []
        if all(verdict.passed for verdict in verdicts):
            return []
        held = self._corpus.held(trial)
        return [one for one, was_held in zip(verdicts, held, strict=True) if was_held and not one.passed]
