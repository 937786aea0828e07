"""One live run of one variant, converted to the same records and figures as a simulated one."""

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from sim import __version__
from sim.live.cluster.cluster import LiveOutcome, run_live
from sim.live.cluster.journal_log import EntryClock, tell_again
from sim.live.recording.file import write_recording
from sim.measure.facts import Totals
from sim.measure.recording.recorder import Recorder
from sim.measure.result import RunResult, measured
from sim.observer import RunView
from sim.routing.ports import Clock
from sim.scenario import Plan, Scenario, make_plan


@dataclass(frozen=True, slots=True)
class LiveSetup:
    """Where and how fast a live run is played."""

    registry_url: str
    time_scale: float
    """Real seconds for each second of the scenario."""
    folder: Path
    """Folder for the sockets of the run. The caller removes it."""
    record: Path | None = None
    """File for the recording of the run; None for no recording."""


def run_live_scenario(scenario: Scenario, variant: str, setup: LiveSetup, watch: Callable[[Clock], None]) -> RunResult:
    """Play a complete scenario for real; `watch` gets the run's clock. It takes duration times scale, and the drain.

    Raises LiveRunFailed if a process of the run is lost, a CallError if it cannot be set up, and OSError if its
    recording cannot be written.
    """
    is_recorded = setup.record is not None
    outcome = asyncio.run(
        run_live(scenario, setup.registry_url, setup.time_scale, setup.folder, watch, record=is_recorded)
    )
    if setup.record is not None:
        write_recording(setup.record, scenario, variant, setup.time_scale, outcome.transcripts, __version__)
    recorder = recorded(outcome, make_plan(scenario, scenario.seed))
    totals = Totals(
        transactions=outcome.transactions,
        floor_hits=outcome.floor_hits,
        final_in_flight=outcome.final_in_flight,
        drift_ns=None,
        end_ns=outcome.end_ns,
    )
    return measured(scenario, variant, recorder.records, totals)


def recorded(outcome: LiveOutcome, plan: Plan) -> Recorder:
    """Return a recorder of the whole outcome, in which the truth about processes is that of each time."""
    clock = EntryClock()
    ended = (entry.args[1] for entry in outcome.entries if entry.what == "process_ended")
    # Number of running processes by address, because the system may give away a port twice.
    running = Counter(chain(outcome.running_addresses, ended))
    recorder = Recorder()
    recorder.begin(RunView(clock, lambda address: running[address] > 0, plan))
    for entry in outcome.entries:
        tell_again([entry], recorder, clock)
        if entry.what == "process_ended":
            running[entry.args[1]] -= 1
    return recorder
