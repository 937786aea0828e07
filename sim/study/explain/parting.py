"""Where two runs part that nobody has saved: they are written down for as long as it takes to compare them."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from sim.measure.changes.first_difference import Parting, first_difference
from sim.measure.result import RunResult
from sim.measure.saved.choices import ChoiceRecorder
from sim.measure.saved.run_folder import save_run
from sim.study.explain.again import MakeRun


class Recorded(NamedTuple):
    """A run with what each of its picks was made from."""

    result: RunResult
    choices: ChoiceRecorder


def recorded(make_run: MakeRun) -> Recorded:
    """Make the run, and record its choices."""
    recorder = ChoiceRecorder()
    return Recorded(make_run([recorder]), recorder)


def parting_of(one: Recorded, other: Recorded) -> Parting | None:
    """Return where the runs part, as `first_difference` does of saved ones. It can be asked once of a run."""
    with TemporaryDirectory(prefix="sim-") as folder:
        for name, run in (("one", one), ("other", other)):
            save_run(Path(folder, name), run.result, (), run.choices.finished())
        return first_difference(Path(folder, "one"), Path(folder, "other"))
