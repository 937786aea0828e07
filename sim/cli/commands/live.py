"""`sim live`: play a scenario on real processes and a real registry, and compare it with the simulation."""

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path

from sim.cli.commands.run import claim_out, judged, show_table
from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.live_progress import live_progress
from sim.cli.process.new_file import check_new_file
from sim.cli.process.output import complain, emit
from sim.cli.registry_option import registry_url, scratch_folder
from sim.live.cluster.calibrate import Effort, calibrate
from sim.live.cluster.calibration import Calibration, machine_facts, pooled
from sim.live.cluster.faults import LiveFaultRefused, check_faults
from sim.live.cluster.frontend_handle import LiveRunFailed
from sim.live.registry.database import BadRegistryUrl
from sim.measure.document import document, to_json
from sim.measure.result import RunResult
from sim.measure.saved.staged_files import CannotWrite
from sim.routing.errors import CallError
from sim.scenario import Scenario, ScenarioFile
from sim.study.batch import judged_run
from sim.study.errors import WorkerDied
from sim.study.judge import judge
from sim.study.live.comparison import ComparedFigure, compare_runs, compare_verdicts
from sim.study.live.run import LiveSetup, run_live_scenario
from sim.study.live.save import save_live_runs
from sim.study.live.time_scale import too_small, was_too_small
from sim.study.live.twin import machine_s, of_the_same_picks, replications
from sim.study.selection import RunSelection

SIMULATED_REPLICATIONS = 60
"""Of each variant's twin. What one run in twenty does is missing in 36 % of all sets of 20, in 5 % of those of 60."""

_SHORT_EFFORT = Effort(requests=40, crowds=10, installs=2)


@dataclass(frozen=True, slots=True)
class LiveOptions:
    """What the user chose beside the scenario."""

    registry: str
    """sqlite, postgres, or a URL."""
    time_scale: float
    record: Path | None
    """File for the recording of the only variant; None for no recording."""
    out: Path | None
    """Folder for the results; None to write none."""
    overwrite: bool
    plots: bool
    compare: bool
    as_json: bool


@dataclass(slots=True)
class _Played:
    """What has been played so far."""

    live: dict[str, RunResult]
    measured: dict[str, tuple[Calibration, ...]]
    """Of each variant, the calibrations before and after it; none if nothing is compared."""


def live_command(file: ScenarioFile, selection: RunSelection, options: LiveOptions) -> ExitCode:
    """Play the chosen variants one after the other and return the exit code.

    Raises BadInput before anything runs, WorkerDied if a process of the run is lost, and CannotWrite.
    """
    seeds = selection.first_seeds(file)
    _check_faults(file, list(seeds))
    if options.record is not None:
        _check_recording(options.record, list(seeds))
    with ExitStack() as stack:
        if options.out is not None:
            claim_out(options.out, [file], stack, overwrite=options.overwrite)
        played = _played(file, seeds, options)
        verdicts = judge(file.expect, played.live)
        runs = [judged_run(result, verdicts) for result in played.live.values()]
        if options.out is not None:
            save_live_runs(options.out, file, list(played.live.values()), runs, plots=options.plots)
    if options.compare:
        return _compare(file, seeds, played, options)
    if options.as_json:
        emit(f"{to_json(document(file.name, runs))}\n")
    else:
        show_table(file, runs)
    return judged(file, runs)


def _played(file: ScenarioFile, seeds: dict[str, int], options: LiveOptions) -> _Played:
    """Set the registry up and play on it, and tell apart whose fault a failure is."""
    try:
        with _setup(options) as setup:
            return _play(file, seeds, setup, options)
    except (CallError, BadRegistryUrl) as error:
        raise BadInput(f"the run cannot be set up: {error}") from None
    except LiveRunFailed as error:
        raise WorkerDied(f"the run has failed: {error}") from None
    except OSError as error:
        raise CannotWrite(f"the run cannot be recorded or set up: {error}") from None


def _check_faults(file: ScenarioFile, variants: list[str]) -> None:
    for variant in variants:
        try:
            check_faults(file.variants[variant])
        except LiveFaultRefused as refusal:
            raise BadInput(f"{file.path}, variant {variant}: {refusal}") from None


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


def _play(file: ScenarioFile, seeds: dict[str, int], setup: LiveSetup, options: LiveOptions) -> _Played:
    """Play each variant, between two calibrations if it is to be compared: a machine is not as fast all the time."""
    real_s = sum(file.variants[name].duration_ns for name in seeds) * setup.time_scale / 1e9
    played = _Played({}, {})
    with live_progress(real_s) as display:
        for name, seed in seeds.items():
            scenario = file.variants[name].model_copy(update={"seed": seed})
            before = _calibrations(scenario, setup, options)
            _complain_of_the_time_scale(too_small(scenario, one, setup.time_scale) for one in before)
            with display.running(name, scenario.duration_ns, setup.time_scale) as watch:
                played.live[name] = run_live_scenario(scenario, name, setup, watch)
            if not before:
                _complain_of_the_time_scale([was_too_small(scenario, played.live[name], setup.time_scale)])
            played.measured[name] = (*before, *_calibrations(scenario, setup, options))
    return played


def _calibrations(scenario: Scenario, setup: LiveSetup, options: LiveOptions) -> tuple[Calibration, ...]:
    if not options.compare:
        return ()
    return (asyncio.run(calibrate(setup.registry_url, _SHORT_EFFORT, scenario.router.pick)),)


def _complain_of_the_time_scale(warnings: Iterable[str | None]) -> None:
    for warning in filter(None, warnings):
        complain(warning)


def _compare(file: ScenarioFile, seeds: dict[str, int], played: _Played, options: LiveOptions) -> ExitCode:
    rows: list[ComparedFigure] = []
    simulated: dict[str, list[RunResult]] = {}
    measured = played.measured
    pace_s = 0.0
    for name, seed in seeds.items():
        scenario, alike = file.variants[name].model_copy(update={"seed": seed}), of_the_same_picks(file, name, measured)
        simulated[name] = list(replications(scenario, name, alike, options.time_scale, SIMULATED_REPLICATIONS))
        of_variant_s = machine_s(scenario, pooled(alike), options.time_scale)
        rows += compare_runs(name, played.live[name], simulated[name], of_variant_s)
        pace_s = max(pace_s, of_variant_s)
    rows += compare_verdicts(file.expect, played.live, simulated)
    together = pooled(list(chain.from_iterable(measured.values())))
    if options.as_json:
        machine = {
            **machine_facts(),
            "database": together.database,
            "allowed_s": pace_s,
            "measured": together.figures(),
            "late_picks": together.late_picks,
        }
        emit(to_json({"rows": [asdict(row) for row in rows], "machine": machine}) + "\n")
    else:
        from sim.cli.process.console import show
        from sim.report.terminal.comparison import ComparisonTable
        from sim.report.terminal.machine import MachineTable

        show(ComparisonTable(file.name, rows))
        show(MachineTable(together, machine_facts(), pace_s))
    return ExitCode.HELD if all(row.passed for row in rows) else ExitCode.BROKEN
