"""The loops and the faults on real processes and a real registry."""

import asyncio
from pathlib import Path

import pytest

from sim import loads
from sim.live.cluster.faults import LiveFaultRefused, check_faults
from sim.live.nodes.worker import LiveWorkers
from sim.live.runtime import AsyncioRuntime
from sim.measure.result import RunResult
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.scenario import Scenario
from sim.study.live.run import LiveSetup, run_live_scenario
from tests.cli.command import sim

# On an idle machine the minimum is restored at 38 s; a busy one has the rest of the run to start a process in.
CRASH = """
name: crash
duration: 90s
nodes: [{name: n0}, {name: n1}, {name: n2}]
models:
  - name: m
    backend: {workers: 4, health: independent, load_time: 1s, install_time: 0s}
    service: {mean: 100ms, distribution: deterministic}
    scheduling: {min: 2, max: 2}
    replicas: [{node: n0}, {node: n1}]
frontends: 2
router: {profile: hardened}  # which takes nothing for dead because the machine is slow
control_plane: {heartbeat: 2s, health_monitor: {tick: 3s, stale_after: 30s}, reconciler: {tick: 5s}}
workload: [{kind: uniform, model: m, rate: 1/s}]
faults: [{kind: node_crash, node: n0, at: 2s}]
"""

EVERY_FAULT = """
name: every_fault
duration: 30s
nodes: [{name: a}, {name: b}, {name: c}, {name: d}, {name: e}, {name: f}, {name: g}, {name: h}]
models:
  - name: m
    backend: {workers: 4, health: independent, load_time: 1s, install_time: 0s}
    service: {mean: 500ms, distribution: deterministic}
    replicas: [{node: a}, {node: b}, {node: c}, {node: d}, {node: e}, {node: f}, {node: g}, {node: h}]
  - {name: other, service: {mean: 1s}}
router:
  probe: {timeout: 20s}  # which the machine keeps, however slow it is
  # Each fault shows by itself: nothing is checked beside the router, and nothing unloads what another fault is for.
  liveness: none
  failure_domain: replica
  cancellation: propagated
  reservation: request_scope
  on_wrong_model: remove_row
workload: [{kind: uniform, model: m, rate: 6/s, patience: 15s}]  # long, as the machine may be slow
faults:
  - {kind: replica_exit, node: a, model: m, at: 5s}
  - {kind: replica_hang, node: b, model: m, at: 5s}
  - {kind: replica_forgets_model, node: c, model: m, at: 5s}
  - {kind: replica_answers_for, node: d, model: m, other: other, at: 5s}
  - {kind: row_lost, node: e, model: m, at: 5s}
  - {kind: connection_reset, node: f, at: 6s}
  - {kind: node_pause, node: f, at: 10s, lasts: 2s}
  - {kind: node_reregister, node: f, at: 15s}
  - {kind: node_crash_loop, node: a, at: 18s, every: 6s, down: 2s, times: 2}
  - {kind: row_deleted, node: g, model: m, at: 7s}
  - {kind: node_drain, node: h, at: 8s, returns_after: 4s}
"""


THE_CRASH = "kind: node_crash, node: n0, at: 2s"


def scenario(text: str) -> Scenario:
    return next(iter(loads(text).variants.values()))


def played(text: str, url: str, folder: Path, time_scale: float) -> RunResult:
    setup = LiveSetup(url, time_scale, folder)
    return run_live_scenario(scenario(text), "default", setup, watch=lambda _clock: None)


@pytest.mark.parametrize("database_url", ["sqlite", pytest.param("postgresql", marks=pytest.mark.long)], indirect=True)
def test_a_crash_is_found_out_and_the_minimum_restored(database_url: str, tmp_path: Path) -> None:
    result = played(CRASH, database_url, tmp_path, time_scale=0.2)
    events, picks = result.events, result.picks
    offline_s = events[events["status"] == "offline"]["t_s"]
    restored = events[(events["kind"] == "row_published") & (events["cause"] == "scale_up")]

    assert events[events["kind"] == "process_ended"]["cause"].tolist() == ["crashed"]
    assert len(offline_s) == 1
    assert restored["replica"].tolist() == ["n2#0"]
    assert (result.requests["outcome"] != "unfinished").all()
    # A pick that was under way when the status was written counts as earlier.
    late = picks[picks["t_s"] > offline_s.item() + 1]
    assert not late["replica"].astype(str).str.startswith("n0#").any()
    assert len(late) > 0


@pytest.fixture(scope="module")
def every_fault(tmp_path_factory: pytest.TempPathFactory) -> RunResult:
    folder = tmp_path_factory.mktemp("every_fault")
    return played(EVERY_FAULT, f"sqlite:///{folder}/registry.db", folder, time_scale=0.25)


def test_every_fault_that_can_be_done_is_told_when_it_strikes(every_fault: RunResult) -> None:
    events = every_fault.events
    struck = events[events["kind"] == "fault_struck"]

    assert sorted(struck["cause"]) == sorted(
        [fault.kind for fault in scenario(EVERY_FAULT).faults] + ["node_crash_loop"]
    )


def test_a_process_that_exits_takes_its_calls_along(every_fault: RunResult) -> None:
    events = every_fault.events
    ended = events[events["kind"] == "process_ended"]

    assert "exited" in ended[ended["replica"] == "m@a#0"]["cause"].tolist()


ROWS_COST = ["ModelNotLoaded", "WrongModel", "row_lost", "reregistered", "row_deleted", "node_drain"]


@pytest.mark.parametrize("cause", ROWS_COST)
def test_the_rows_that_a_fault_costs_name_it(every_fault: RunResult, cause: str) -> None:
    events = every_fault.events

    assert cause in events[events["kind"] == "row_removed"]["cause"].tolist()


def test_a_drained_node_stops_its_process_and_comes_back(every_fault: RunResult) -> None:
    events = every_fault.events
    ended = events[events["kind"] == "process_ended"]
    drained = events[events["subject"] == "h"]

    assert ended[ended["replica"] == "m@h#0"]["cause"].tolist()[0] == "stopped"
    assert drained["status"].dropna().tolist() == ["draining", "healthy"]


def test_a_process_that_hangs_keeps_its_clients_waiting_until_they_leave(every_fault: RunResult) -> None:
    requests = every_fault.requests

    assert "m@b#0" in requests[requests["outcome"] == "cancelled"]["replica"].tolist()


def test_whatever_strikes_each_request_ends_once_with_a_cause(every_fault: RunResult) -> None:
    requests = every_fault.requests

    assert (requests["outcome"] != "unfinished").all()
    assert requests[requests["outcome"] != "completed"]["cause"].notna().all()


def test_a_fault_that_only_a_simulation_can_do_is_refused_with_what_is_allowed() -> None:
    drifting = scenario(CRASH.replace(THE_CRASH, "kind: clock_drift, frontend: 0, percent: 1"))

    with pytest.raises(
        LiveFaultRefused, match=r"faults\[0\]: sim live cannot do clock_drift; allowed: connection_reset,"
    ):
        check_faults(drifting)


def test_a_drained_node_that_keeps_its_rows_is_refused_as_well() -> None:
    kept = scenario(CRASH.replace("profile: hardened", "control: {node_status: ignored}"))

    with pytest.raises(
        LiveFaultRefused, match=r"router.control.node_status: sim live cannot do ignored; allowed: heed"
    ):
        check_faults(kept)


def test_the_command_refuses_it_before_anything_starts(tmp_path: Path) -> None:
    busy = CRASH.replace(THE_CRASH, "kind: replica_exit, node: n0, model: m, at: 1s, when: busy")
    (tmp_path / "busy.yaml").write_text(busy)

    done = sim("live", "busy.yaml", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "busy.yaml, variant default: faults[0]: sim live cannot do replica_exit with when: busy" in done.stderr


OWN = """
name: own
duration: 5s
nodes: [{name: mine}]
models:
  - name: m
    service: {mean: 100ms, distribution: deterministic}
    replicas: [{node: mine, address: "ADDRESS"}]
workload: [{kind: uniform, model: m, rate: 2/s}]
"""


def test_a_backend_of_ones_own_is_used_by_its_address(tmp_path: Path) -> None:
    asyncio.run(_play_on_a_backend_of_ones_own(tmp_path))


async def _play_on_a_backend_of_ones_own(folder: Path) -> None:
    own = scenario(OWN.replace("ADDRESS", "127.0.0.1:1"))
    async with LiveWorkers(AsyncioRuntime(), Journal(), own.nodes, own.models, lambda _node, _report: None) as mine:
        address = await mine.start_loaded(ReplicaKey("mine", "m", 0))
        url = f"sqlite:///{folder}/registry.db"
        result = await asyncio.to_thread(played, OWN.replace("ADDRESS", address), url, folder, 1.0)

        assert result.metrics["requests.completed"] == result.metrics["requests.offered"] == 9
        assert result.picks["address"].unique().tolist() == [address]
        assert mine.addresses() == [address]


def test_a_backend_of_ones_own_that_does_not_answer_is_bad_input_and_nothing_takes_its_place(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(OWN.replace("ADDRESS", "127.0.0.1:1"))

    done = sim("live", "own.yaml", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert "nobody answers at 127.0.0.1:1, the address of mine#0" in done.stderr


def test_a_drain_that_waits_lets_requests_end_before_their_process_does(tmp_path: Path) -> None:
    # The run ends with its last request; that of `longer` keeps it going until the process of `m` has ended.
    drained = """
name: drained
duration: 50s
nodes: [{name: a}, {name: b}]
models:
  - name: m
    service: {mean: 40s, distribution: deterministic}
    replicas: [{node: a}]
  - name: longer
    service: {mean: 60s, distribution: deterministic}
    replicas: [{node: b}]
router: {control: {drain: when_idle}}
workload:
  - {kind: burst, model: m, at: 1s, requests: 1}
  - {kind: burst, model: longer, at: 1s, requests: 1}
faults: [{kind: node_drain, node: a, at: 20s}]
"""

    result = played(drained, f"sqlite:///{tmp_path}/registry.db", tmp_path, time_scale=0.1)
    events = result.events

    assert result.requests["outcome"].tolist() == ["completed", "completed"]
    assert events[events["kind"] == "process_ended"]["cause"].tolist() == ["ended"]
