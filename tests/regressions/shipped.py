"""The regression corpus that the project ships, and the runs of its scenarios on their own seeds."""

from dataclasses import dataclass
from pathlib import Path

from sim import RunResult, ScenarioFile, Verdict, judge, load, run
from sim.scenario.spec.regression import Regression
from sim.study.regressions.check import bounds_of

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "regressions"
NAMES = [path.stem for path in sorted(FOLDER.glob("*.yaml"))]


@dataclass(frozen=True)
class Played:
    """A scenario of the corpus, and what each of its variants did."""

    file: ScenarioFile
    about: Regression
    results: dict[str, RunResult]

    def beside_bounds_of_the_repaired(self, variant: str) -> list[Verdict]:
        """Return how a variant stands to the limits that the repaired one has to keep."""
        return judge(list(bounds_of(self.file, self.about.repaired, variant)), {variant: self.results[variant]})


def loaded(name: str) -> tuple[ScenarioFile, Regression]:
    file = load(FOLDER / f"{name}.yaml")
    assert file.regression is not None, f"{name} has no regression block"
    return file, file.regression


def played(name: str) -> Played:
    file, about = loaded(name)
    return Played(file, about, {variant: run(file, variant) for variant in file.variants})
