"""A run made twice: a run is a function of its scenario and seed, so both have to decide the same."""

from collections.abc import Sequence

from sim.measure.result import RunResult
from sim.report.parting import parting_lines
from sim.scenario import ScenarioFile
from sim.study.errors import NotTheSameRun
from sim.study.explain.parting import parting_of, recorded
from sim.study.run import run


def run_twice(file: ScenarioFile, variant: str, seed: int, observers: Sequence[object] = ()) -> RunResult:
    """Run the variant on the seed twice, and return what `run` returns; the observers are told of the first run.

    Raises NotTheSameRun, which names the first decision that differs, and what `run` raises.
    """
    first = recorded(lambda recorder: run(file, variant, seed, [*observers, *recorder]))
    second = recorded(lambda recorder: run(file, variant, seed, recorder))
    if second.result.digest == first.result.digest:
        return first.result
    lines = parting_lines(parting_of(first, second), "the first time", "the second time")
    told = f"{file.name}, variant {variant}, seed {seed} decided otherwise the second time"
    raise NotTheSameRun("\n".join([f"{told}: it depends on more than its scenario and seed", *lines]))
