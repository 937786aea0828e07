"""The runs that a command takes from folders of results, or from scenario files, which it runs first."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from os.path import isfile
from pathlib import Path

from sim.cli.process.progress import progress
from sim.cli.process.workers import processes_for, workers
from sim.cli.registry_option import scratch_folder
from sim.cli.result_folders import read_folders
from sim.cli.run_selection import load_all
from sim.measure.document import document, to_json
from sim.measure.saved.result_folder import ResultFolder, read_result_folder
from sim.scenario import ScenarioFile
from sim.study.batch import jobs_of, run_batch
from sim.study.out_folder import save_summary
from sim.study.selection import RunSelection

_AS_THE_FILE_SAYS = RunSelection(variants=(), seed=None)


def result_folders(
    paths: Sequence[Path], stack: ExitStack, allow_dirs: Sequence[Path] = (), *, allow_code: bool = False
) -> list[ResultFolder]:
    """Return what each folder holds, and for a scenario file what its runs left in a folder that ends with the stack.

    A path that is named twice counts once.

    Raises BadInput for a path that is neither, before anything runs; later what `run_batch` raises, and CannotWrite.
    """
    named = list(dict.fromkeys(paths))
    scenarios = [path for path in named if isfile(path) or path.suffix in (".yaml", ".yml")]
    saved = read_folders([path for path in named if path not in scenarios])
    files = load_all(scenarios, _AS_THE_FILE_SAYS, (), allow_dirs, allow_code=allow_code)
    made = {
        path: replace(_run(file, scratch_folder("sim-report-", stack)), path=path)
        for path, file in zip(scenarios, files, strict=True)
    }
    return [(saved | made)[path] for path in named]


def _run(file: ScenarioFile, out: Path) -> ResultFolder:
    """Run all variants of the scenario, on the seeds that it asks for."""
    jobs = list(jobs_of(file, _AS_THE_FILE_SAYS, out))
    specs = [run for job in jobs for run in job.runs]
    with progress(len(specs)) as display, workers(processes_for(jobs)) as executor:
        runs = [run for of_job in run_batch(jobs, executor, display) for run in of_job]
    save_summary(out, to_json(document(file.name, runs)), [one.folder for one in specs if one.folder is not None])
    return read_result_folder(out)
