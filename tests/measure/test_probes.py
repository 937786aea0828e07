"""Health calls, by who waits for them."""

import pytest

from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.recorder import Recorder
from sim.measure.summary import summarise
from sim.routing.outcomes import ProbeOutcome
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from tests.hand_clock import HandClock
from tests.recorders import recorder_by

KEY = ReplicaKey("a", "m", 0)
OK, TIMEOUT, FAILED = ProbeOutcome
ALIVE, DEAD = "alive:1", "dead:1"


def metrics_of(recorder: Recorder, *, has_loops: bool) -> dict[str, float]:
    facts = RunFacts(models=("m",), has_loops=has_loops)
    return summarise(recorder.records, Totals(0, 0, 0, 0, end_ns=1), facts)


@pytest.fixture
def recorder() -> Recorder:
    recorder = recorder_by(HandClock(), lambda address: address == ALIVE)
    request = Request(0, "m", 0, 0, 0)
    recorder.arrived(request)
    for outcome in (OK, TIMEOUT, TIMEOUT, FAILED):
        recorder.probed(request, KEY, ALIVE, 0, outcome)
    for outcome in (TIMEOUT, FAILED, FAILED):
        recorder.probed(request, KEY, DEAD, 0, outcome)
    for outcome in (OK, OK, OK, TIMEOUT, TIMEOUT, FAILED):
        recorder.probed(None, KEY, ALIVE, 0, outcome)
    return recorder


def test_probes_of_requests_and_of_loops_are_counted_apart(recorder: Recorder) -> None:
    metrics = metrics_of(recorder, has_loops=True)

    counted = [metrics[f"probes.{name}"] for name in ("sent", "ok", "timeouts", "failed")]
    of_loops = [metrics[f"probes.loops_{name}"] for name in ("sent", "ok", "timeouts", "failed")]
    assert (counted, of_loops) == ([7, 1, 3, 3], [6, 3, 2, 1])


def test_a_probe_is_falsely_dead_only_if_its_process_lived(recorder: Recorder) -> None:
    assert metrics_of(recorder, has_loops=True)["probes.false_dead"] == 2 + 1


def test_without_loops_there_are_no_figures_of_theirs(recorder: Recorder) -> None:
    metrics = metrics_of(recorder, has_loops=False)

    assert not [name for name in metrics if name.startswith("probes.loops_")]
