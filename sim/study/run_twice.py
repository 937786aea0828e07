"""A run made twice: a run is a function of its scenario and seed, so both have to decide the same."""

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.measure.changes.first_difference import first_difference
from sim.measure.result import RunResult
from sim.measure.saved.choices import ChoiceRecorder
from sim.measure.saved.run_folder import save_run
from sim.report.parting import parting_lines
from sim.scenario import ScenarioFile
from sim.study.errors import NotTheSameRun
from sim.study.run import run


def run_twice(file: ScenarioFile, variant: str, seed: int, observers: Sequence[object] = ()) -> RunResult:
    """Run the variant on the seed twice, and return what `run` returns; the observers are told of the first run.

    Raises NotTheSameRun, which names the first decision that differs, and what `run` raises.
    """
    seen = ChoiceRecorder(), ChoiceRecorder()
    result, again = run(file, variant, seed, [*observers, seen[0]]), run(file, variant, seed, [seen[1]])
    if again.digest == result.digest:
        return result
    with TemporaryDirectory(prefix="sim-") as folder:
        first, second = Path(folder, "first"), Path(folder, "second")
        save_run(first, result, (), seen[0].finished())
        save_run(second, again, (), seen[1].finished())
        lines = parting_lines(first_difference(first, second), "the first time", "the second time")
        told = f"{file.name}, variant {variant}, seed {seed} decided otherwise the second time"
        raise NotTheSameRun("\n".join([f"{told}: it depends on more than its scenario and seed", *lines]))
