"""The one run that a command is about: saved in a folder, or still to be made from a scenario file."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sim.cli.process.exits import BadInput
from sim.cli.run_selection import load_all
from sim.measure.saved.result_folder import BadResultFolder, SavedRun, read_result_folder
from sim.scenario.text.errors import did_you_mean, listed
from sim.study.explain.again import MakeRun, run_again
from sim.study.run import run
from sim.study.scenarios import checked_variant
from sim.study.selection import RunSelection


@dataclass(frozen=True, slots=True)
class ChosenRun:
    """How the user names the run."""

    path: Path | None
    """A folder or a scenario file."""
    variant: str | None = None
    seed: int | None = None
    sets: tuple[str, ...] = ()
    allow_dirs: tuple[Path, ...] = ()
    allow_code: bool = False


def make_run(chosen: ChosenRun) -> MakeRun:
    """Return what makes the run. Raises BadInput if there is no such run, or several, and NoSuchVariant."""
    if chosen.path is None:
        raise BadInput("found no run; allowed: a scenario file, or a folder that `sim run --out` has written")
    if chosen.path.is_dir():
        folder = saved_folder(chosen.path, chosen)
        return partial(run_again, folder, allow_dirs=chosen.allow_dirs, allow_code=chosen.allow_code)
    selection = RunSelection((), chosen.seed, 1)
    (file,) = load_all([chosen.path], selection, chosen.sets, chosen.allow_dirs, allow_code=chosen.allow_code)
    return partial(run, file, checked_variant(file, chosen.variant), chosen.seed)


def saved_folder(path: Path, chosen: ChosenRun) -> Path:
    """Return where in the folder the chosen run is saved. Raises BadInput if there is no such run, or several."""
    (folder,) = saved_folders(path, chosen, [chosen.variant])
    return folder


def saved_folders(path: Path, chosen: ChosenRun, variants: Sequence[str | None]) -> list[Path]:
    """Return where in the folder each of the variants is saved, else as chosen. Raises what `saved_folder` does."""
    if chosen.sets:
        raise BadInput("--set says what to run; a saved run is made again as it was")
    try:
        runs = read_result_folder(path).runs
    except BadResultFolder as error:
        raise BadInput(str(error)) from None
    return [_folder_of(variant, chosen.seed, runs, path) for variant in variants]


def _folder_of(variant: str | None, seed: int | None, runs: Sequence[SavedRun], path: Path) -> Path:
    variants = dict.fromkeys(one.run.variant for one in runs)
    if variant is not None and variant not in variants:
        hint = did_you_mean(variant, variants)
        raise BadInput(f"{path} has no variant {variant!r}; allowed: {listed(variants)}{hint}")
    fitting = [one for one in runs if variant in (None, one.run.variant) and seed in (None, one.run.seed)]
    if len(fitting) != 1:
        names = ", ".join(f"{one.scenario} {one.run.variant} {one.run.seed}" for one in (fitting or runs)[:12])
        found = f"{len(fitting)} such runs" if fitting else "no such run"
        raise BadInput(f"{path} holds {found}; choose one by --variant and --seed, or by its folder: {names}")
    return fitting[0].folder
