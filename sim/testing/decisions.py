"""The assertion that two runs decided the same, and otherwise where they part."""

from pathlib import Path
from tempfile import TemporaryDirectory

from sim.measure.changes.first_difference import first_difference
from sim.measure.result import RunResult
from sim.measure.saved.choices import ChoiceRecorder
from sim.measure.saved.run_folder import save_run
from sim.report.parting import parting_lines
from sim.scenario import Scenario
from sim.study.run import run_scenario


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
    choices = ChoiceRecorder()
    again = run_scenario(result.plan, result.variant, result.seed, [choices])
    if again.digest != result.digest:
        raise AssertionError(f"{result!r} decided otherwise when it was run again: it depends on more than its seed")
    save_run(folder, again, (), choices.finished())
