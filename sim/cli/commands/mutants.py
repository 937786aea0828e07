"""`sim mutants`: run the scenarios against deliberately wrong routers, and tell which expectation notices each."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import complain, emit
from sim.cli.process.progress import progress
from sim.cli.process.report_files import check_report_file, write_report
from sim.cli.process.workers import workers
from sim.cli.run_selection import load_all
from sim.cli.scenario_files import check_folder
from sim.measure.document import to_json
from sim.scenario import ScenarioFile
from sim.scenario.text.errors import did_you_mean, found
from sim.study.batch import cores
from sim.study.calls import answers_in_order
from sim.study.scenarios import files_below
from sim.study.selection import RunSelection
from sim.testing.mutants.catalogue import MUTANTS
from sim.testing.mutants.hunt import Fate, hunted
from sim.testing.mutants.report import document, kills_by_scenario, line, markdown, summary


@dataclass(frozen=True, slots=True)
class MutantOptions:
    """What the user chose."""

    names: Sequence[str]
    """Mutants to hunt; all if empty."""
    corpus: Path
    """Folder of the scenarios."""
    seeds: int
    """On how many seeds of a scenario each mutant is tried."""
    in_all: bool
    """Whether each mutant is run in every scenario, or until one kills it."""


def mutants_command(
    options: MutantOptions, *, processes: int | None, as_json: bool, markdown_file: Path | None
) -> ExitCode:
    """Hunt the mutants, on that many processes or on all cores, show what killed each, and return the exit code.

    Raises BadInput before anything runs, WorkerDied and CannotWrite later.
    """
    check_report_file("--markdown", markdown_file)
    names = _checked(options.names)
    files = _read(options.corpus)
    fates: list[Fate] = []
    for fate in _hunt(names, files, options, min(processes or cores(), len(names))):
        fates.append(fate)
        if not as_json:
            emit(f"{line(fate)}\n")
    scenarios = [file.name for file in files]
    if as_json:
        emit(f"{to_json(document(fates))}\n")
    else:
        emit(f"\n{summary(fates)}\n")
    if markdown_file is not None:
        today = date.today().isoformat()  # noqa: DTZ011 # a page is dated where it is made
        write_report(markdown_file, markdown(fates, scenarios, today, in_all=options.in_all))
    if options.in_all:
        _tell_of_idle_scenarios(fates, scenarios)
    return ExitCode.HELD if all(fate.killed_by is not None for fate in fates) else ExitCode.BROKEN


def _checked(names: Sequence[str]) -> Sequence[str]:
    unknown = [name for name in names if name not in MUTANTS]
    if unknown:
        raise BadInput("\n".join(f"{found(name)} is no mutant{did_you_mean(name, MUTANTS)}" for name in unknown))
    return names or list(MUTANTS)


def _read(corpus: Path) -> list[ScenarioFile]:
    """Load the scenarios. BadInput lists all problems."""
    check_folder(corpus, "--corpus: ")
    files = load_all(list(files_below(corpus)), RunSelection((), None), (), ())
    if not files:
        raise BadInput(f"--corpus: {corpus} holds no scenario files (.yaml or .yml); allowed: a folder of them")
    return files


def _hunt(
    names: Sequence[str], files: Sequence[ScenarioFile], options: MutantOptions, processes: int
) -> Iterator[Fate]:
    """Yield what becomes of each mutant, in their order; each is let loose in a process of its own or here."""
    hunt = partial(hunted, paths=tuple(file.path for file in files), seeds=options.seeds, in_all=options.in_all)
    with progress(len(names)) as display, workers(processes) as executor:
        calls = [partial(hunt, name) for name in names]
        for fate in answers_in_order(calls, (f"hunted {name}" for name in names), executor):
            display.done(1)
            with display.put_aside():
                yield fate


def _tell_of_idle_scenarios(fates: Sequence[Fate], scenarios: Sequence[str]) -> None:
    idle = [name for name, count in kills_by_scenario(fates, scenarios).items() if not count]
    if idle:
        complain(f"no mutant is killed by {', '.join(idle)}")
