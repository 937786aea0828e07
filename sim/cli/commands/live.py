"""`sim live`: play a scenario on real processes and a real registry, and compare it with the simulation."""

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from sim.cli.commands.run import judged, show_table
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.live_progress import live_progress
from sim.cli.process.new_file import check_new_file
from sim.cli.process.output import complain, emit
from sim.cli.registry_option import registry_url, scratch_folder
from sim.live.cluster.calibration import Calibration, Effort, calibrate
from sim.live.cluster.faults import LiveFaultRefused, check_faults
from sim.live.cluster.frontend_handle import LiveRunFailed
from sim.live.registry.database import BadRegistryUrl
from sim.measure.document import document, to_json
from sim.measure.result import RunResult
from sim.measure.saved.staged_files import CannotWrite
from sim.routing.errors import CallError
from sim.scenario import ScenarioFile
from sim.study.batch import judged_run
from sim.study.errors import WorkerDied
from sim.study.judge import judge
from sim.study.live import LiveSetup, run_live_scenario
from sim.study.live_comparison import ComparedFigure, compare_figures, compare_verdicts, simulated_twin
from sim.study.run import run_scenario
from sim.study.selection import RunSelection
from sim.study.time_scale import too_small

SIMULATED_REPLICATIONS = 20
_LITTLE_EFFORT = Effort(transactions=100, calls=100, installs=1)


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the user chose beside the scenario."""

    registry: str
    """sqlite, postgres, or a URL."""
    time_scale: float
    record: Path | None
    """File for the recording of the only variant; None for no recording."""
    compare: bool
    as_json: bool


def live_command(file: ScenarioFile, selection: RunSelection, options: LiveOptions) -> ExitCode:
    """Play the chosen variants one after the other and return the exit code.

    Raises BadInput before anything runs, WorkerDied if a process of the run is lost, and CannotWrite.
    """
    seeds = selection.first_seeds(file)
    _check_faults(file, list(seeds))
    if options.record is not None:
        _check_recording(options.record, list(seeds))
    try:
        with _setup(options) as setup:
            measured = asyncio.run(calibrate(setup.registry_url, _LITTLE_EFFORT)) if options.compare else None
            if measured is not None:
                _warn_of_the_time_scale(file, list(seeds), measured, options.time_scale)
            live = _play(file, seeds, setup)
    except (CallError, BadRegistryUrl) as error:
        raise BadInput(f"the run cannot be set up: {error}") from None
    except LiveRunFailed as error:
        raise WorkerDied(f"the run has failed: {error}") from None
    except OSError as error:
        raise CannotWrite(f"the run cannot be recorded or set up: {error}") from None
    if measured is not None:
        return _compare(file, seeds, live, measured, options)
    verdicts = judge(file.expect, live)
    runs = [judged_run(result, verdicts) for result in live.values()]
    if options.as_json:
        emit(f"{to_json(document(file.name, runs))}\n")
    else:
        show_table(file, runs)
    return judged(file, runs)


def _check_faults(file: ScenarioFile, variants: list[str]) -> None:
    for variant in variants:
        try:
            check_faults(file.variants[variant].faults)
        except LiveFaultRefused as refusal:
            raise BadInput(f"{file.path}, variant {variant}: {refusal}") from None


def _warn_of_the_time_scale(file: ScenarioFile, variants: list[str], measured: Calibration, time_scale: float) -> None:
    warnings = (too_small(file.variants[name], measured, time_scale) for name in variants)
    for warning in dict.fromkeys(filter(None, warnings)):
        complain(warning)


def _check_recording(path: Path, variants: list[str]) -> None:
    if len(variants) != 1:
        raise BadInput(f"--record: a recording holds one variant, found {len(variants)}; name one with --variant")
    check_new_file("--record", path)


@contextmanager
def _setup(options: LiveOptions) -> Iterator[LiveSetup]:
    """Make a folder for the run, and start the embedded PostgreSQL if that is asked for."""
    with ExitStack() as stack:
        folder = scratch_folder("sim-live-", stack)
        url = registry_url(options.registry, folder, stack)
        yield LiveSetup(url, options.time_scale, folder, options.record)


def _play(file: ScenarioFile, seeds: dict[str, int], setup: LiveSetup) -> dict[str, RunResult]:
    real_s = sum(file.variants[name].duration_ns for name in seeds) * setup.time_scale / 1e9
    results: dict[str, RunResult] = {}
    with live_progress(real_s) as display:
        for name, seed in seeds.items():
            scenario = file.variants[name].model_copy(update={"seed": seed})
            with display.running(name, scenario.duration_ns, setup.time_scale) as watch:
                results[name] = run_live_scenario(scenario, name, setup, watch)
    return results


def _compare(
    file: ScenarioFile,
    seeds: dict[str, int],
    live: dict[str, RunResult],
    measured: Calibration,
    options: LiveOptions,
) -> ExitCode:
    rows: list[ComparedFigure] = []
    first: dict[str, RunResult] = {}
    for name, seed in seeds.items():
        twin = simulated_twin(file.variants[name], measured, options.time_scale)
        runs = [run_scenario(twin, name, seed + number) for number in range(SIMULATED_REPLICATIONS)]
        first[name] = runs[0]
        rows += compare_figures(name, live[name].metrics, [one.metrics for one in runs])
    rows += compare_verdicts(file.expect, live, first)
    if options.as_json:
        emit(to_json({"rows": [asdict(row) for row in rows]}) + "\n")
    else:
        from sim.cli.process.console import show
        from sim.report.comparison import ComparisonTable

        show(ComparisonTable(file.name, rows))
    return ExitCode.HELD if all(row.passed for row in rows) else ExitCode.BROKEN
