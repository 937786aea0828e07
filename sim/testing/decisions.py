"""The assertion that two runs decided the same, and otherwise where they part."""

from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.measure.changes.first_difference import first_difference
from sim.measure.result import RunResult
from sim.measure.saved.run_folder import save_run
from sim.report.parting import parting_lines
from sim.scenario import Scenario
from sim.study.errors import NotTheSameRun
from sim.study.explain.again import run_again
from sim.study.explain.parting import recorded


def assert_same_decisions(a: RunResult, b: RunResult) -> None:
    """Assert that two runs have the same digest: every decision and event of one is in the other, at the same time.

    Raises AssertionError with the first decision that differs, and what either run saw of each replica then. For that
    both are made again; of a result that was read from a folder it is not known what its picks saw.
    """
    __tracebackhide__ = True
    if a.digest == b.digest:
        return
    with TemporaryDirectory(prefix="sim-") as folder:
        of_a, of_b = Path(folder, "a"), Path(folder, "b")
        _save(a, of_a)
        _save(b, of_b)
        parting = first_difference(of_a, of_b)
    runs = f"a is {a.name}; b is {b.name}"
    raise AssertionError("\n".join([f"the runs decided differently: {runs}", *parting_lines(parting, "a", "b")]))


def _save(result: RunResult, folder: Path) -> None:
    if not isinstance(result.plan, Scenario):
        result.save(folder)
        return
    try:
        again = recorded(partial(run_again, result))
    except NotTheSameRun:
        told = f"{result!r} decided otherwise when it was run again: it depends on more than its seed"
        raise AssertionError(told) from None
    save_run(folder, again.result, (), again.choices.finished())
