"""The assertion that two runs decided the same, and otherwise where they part."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from sim.measure.changes.first_difference import Parting, first_difference
from sim.measure.result import RunResult
from sim.measure.saved.choices import ChoiceRecorder
from sim.measure.saved.run_folder import save_run
from sim.report.terminal.folder_changes import candidate_cells
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
    raise AssertionError("\n".join([f"the runs decided differently: {runs}", *_lines(parting)]))


def _save(result: RunResult, folder: Path) -> None:
    if not isinstance(result.plan, Scenario):
        result.save(folder)
        return
    choices = ChoiceRecorder()
    again = run_scenario(result.plan, result.variant, result.seed, [choices])
    if again.digest != result.digest:
        raise AssertionError(f"{result!r} decided otherwise when it was run again: it depends on more than its seed")
    save_run(folder, again, (), choices.finished())


def _lines(parting: Parting | None) -> Iterator[str]:
    if parting is None:
        yield "all decisions are the same, only times differ"
        return
    yield f"first difference at {parting.t_s:.6f} s: {parting.what}"
    yield f"  a {parting.base}"
    yield f"  b {parting.new}"
    if parting.candidates:
        rows = list(candidate_cells(parting.candidates, "a", "b"))
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        for row in rows:
            yield "  " + "  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True))
