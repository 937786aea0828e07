"""Whole small worlds: cold loads, reloads of busy processes, clients that leave, and what must hold in any of them."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim import loads
from sim.measure.recording.recorder import Recorder
from sim.measure.result import RunResult
from sim.programs.at_work import Programs
from sim.routing.outcomes import Outcome
from sim.routing.request import Request
from sim.scenario import Scenario, make_plan
from sim.simulated.world import World
from sim.study.run import run_scenario


def scenario(text: str) -> Scenario:
    """Return the only variant of a scenario in which nothing takes time but what the text says."""
    free = "registry: {transaction: 0ms}\nnetwork: {latency: 0ms}\n"
    return loads(f"name: world\n{text}\n{'' if 'registry:' in text else free}").variants["default"]


def result_of(text: str) -> RunResult:
    return run_scenario(scenario(text))


COLD_START = """
duration: 60s
nodes: [{name: a}, {name: b}]
models:
  - name: m
    backend: {install_time: 2s, load_time: 20s}
    service: {mean: 1s, distribution: deterministic}
frontends: 3
workload: [{kind: burst, model: m, at: 0s, requests: 6}]
"""


def test_six_first_requests_on_three_frontends_wait_for_one_load() -> None:
    result = result_of(COLD_START)

    assert result.metrics["installs.started"] == 1
    assert result.metrics["loads.started"] == 1
    assert result.requests["latency_s"].tolist() == [23, 24, 25, 26, 27, 28]


def test_network_and_registry_take_their_time_on_the_way() -> None:
    warm = """
duration: 10s
nodes: [{name: a}]
models:
  - name: m
    service: {mean: 1s, distribution: deterministic}
    replicas: [{node: a}]
registry: {transaction: 2ms}
network: {latency: 5ms}
workload: [{kind: burst, model: m, at: 1s, requests: 1}]
"""
    (row,) = result_of(warm).requests.to_dict("records")

    # Pick 2 ms, probe there and back 10 ms, touch 2 ms, liveness check 10 ms; then the start is counted, 2 ms, and the
    # call goes out. Its end and the reservation are taken back, 2 ms each, before the answer is there.
    assert row["route_s"] == pytest.approx(0.024)
    assert row["queue_s"] == pytest.approx(0.002 + 0.005)
    assert row["latency_s"] == pytest.approx(0.024 + 0.007 + 1 + 0.005 + 0.004)


def test_the_time_of_the_first_token_is_told_where_prefill_is_known() -> None:
    by_tokens = """
duration: 10s
nodes: [{name: a, speed: 0.5}]
models:
  - name: m
    service: {prefill: 1000/s, decode: 10/s}
    replicas: [{node: a}]
workload: [{kind: burst, model: m, at: 1s, requests: 1, prompt_tokens: 500, output_tokens: 20}]
"""
    (row,) = result_of(by_tokens).requests.to_dict("records")

    assert row["ttft_s"] == pytest.approx(1)
    assert row["latency_s"] == pytest.approx(1 + 4)


def test_a_request_that_is_cut_off_while_it_decodes_has_had_its_first_token() -> None:
    by_tokens = """
duration: 10s
nodes: [{name: a}]
models:
  - name: m
    service: {prefill: 1000/s, decode: 10/s}
    replicas: [{node: a}]
workload: [{kind: burst, model: m, at: 1s, requests: 1, prompt_tokens: 500, output_tokens: 20, patience: 1s}]
"""
    (row,) = result_of(by_tokens).requests.to_dict("records")

    assert row["outcome"] == "cancelled"
    assert row["ttft_s"] == pytest.approx(0.5)


RELOAD = """
duration: 60s
nodes: [{name: a}]
models:
  - name: m
    backend: {workers: 1, health: serialized, load_time: 20s}
    service: {mean: 10s, distribution: deterministic}
    replicas: [{node: a}]
workload:
  - {kind: burst, model: m, at: 0s, requests: 1}
  - {kind: burst, model: m, at: 1s, requests: 1}
router: {profile: uncached}
"""


def test_a_busy_process_whose_row_is_deleted_gets_the_load_behind_its_running_request() -> None:
    result = result_of(RELOAD)

    told = result.events[result.events["kind"] != "check_ended"][["t_s", "kind"]].values.tolist()
    assert told[1:] == [
        [3.0, "row_removed"],
        [3.0, "install_started"],
        [3.0, "load_started"],
        [30.0, "load_ended"],
        [30.0, "row_published"],
    ]
    assert result.metrics["rows.removed_alive"] == 1
    assert result.metrics["loads.redundant"] == 1
    assert result.requests["latency_s"].tolist() == [10, 39]


def test_a_request_that_outlives_its_row_gives_back_to_the_one_that_is_loaded_in_its_place() -> None:
    longer = RELOAD.replace("mean: 10s", "mean: 40s").replace(
        "health: serialized", "health: serialized, install_time: 0s"
    )

    early = "router: {profile: uncached, control: {load_rows: lifecycle}}"
    result = result_of(longer.replace("load_time: 20s", "load_time: 0s").replace("router: {profile: uncached}", early))

    # The first request holds 2 when its row goes. It ends while the new row, whose load waits behind it, stands at 0.
    assert result.metrics["in_flight.floor_hits"] == 2
    assert result.metrics["in_flight.final"] == 0


def test_a_request_whose_row_goes_before_its_start_leaves_no_drift_behind() -> None:
    busy = """
duration: 5m
nodes: [{name: a}]
models:
  - name: m
    backend: {health: serialized, load_time: 3s}
    service: {mean: 1s, distribution: lognormal, cv: 0.5}
    replicas: [{node: a}]
router: {profile: uncached}
registry: {transaction: 2ms}
workload:
  - {kind: closed, model: m, users: 6, stop: 60s}
LATE"""
    late = "  - {kind: burst, model: m, requests: 1, at: 299s}"

    drift_s = [result_of(busy.replace("LATE", text)).metrics["in_flight.drift_s"] for text in ("", late)]

    # One request more, in an idle system minutes later, must not bring up what has long ended.
    assert drift_s[0] == drift_s[1]


@pytest.mark.parametrize(("cancellation", "loads"), [("propagated", 2), ("detached", 1)])
def test_a_client_that_leaves_takes_its_cold_load_along_if_that_is_propagated(cancellation: str, loads: int) -> None:
    left = COLD_START.replace(
        "requests: 6}]", "requests: 1, patience: 5s}, {kind: burst, model: m, at: 1s, requests: 1}]"
    )

    result = result_of(f"{left}router: {{cancellation: {cancellation}}}\n")

    assert result.requests["outcome"].tolist() == ["cancelled", "completed"]
    assert result.metrics["loads.started"] == loads


@pytest.mark.parametrize(("tie_order", "ends"), [("fifo", ["cancelled"]), ("shuffle", ["cancelled", "completed"])])
def test_an_answer_at_the_very_instant_at_which_its_client_leaves_comes_too_late_unless_ties_are_shuffled(
    tie_order: str, ends: list[str]
) -> None:
    tied = """
duration: 10s
nodes: [{name: a}]
models:
  - {name: m, service: {mean: 1s, distribution: deterministic}, replicas: [{node: a}]}
registry: {transaction: 0s}
network: {latency: 0s}
workload:
  - {kind: burst, model: m, at: 0s, requests: 1, patience: 1s}
"""

    runs = [result_of(f"{tied}tie_order: {tie_order}\nseed: {seed}\n").requests for seed in range(6)]

    assert sorted({str(requests["outcome"][0]) for requests in runs}) == ends
    assert {requests["end_s"][0] for requests in runs} == {1.0}


def test_a_pick_may_be_longer_than_other_transactions() -> None:
    short = """
duration: 10s
nodes: [{name: a}]
models:
  - {name: m, service: {mean: 1s, distribution: deterministic}, replicas: [{node: a}]}
network: {latency: 0s}
router: {probe: {ttl: 1h}}
workload:
  - {kind: burst, model: m, at: 0s, requests: 1}
"""

    route_ms = [
        result_of(f"{short}registry: {registry}\n").requests["route_s"].item() * 1000
        for registry in ("{transaction: 2ms}", "{transaction: 2ms, pick: 7ms}")
    ]

    # A pick and a touch.
    assert route_ms == pytest.approx([4, 9])


def test_what_is_unfinished_at_the_limit_of_the_drain_is_counted_as_such() -> None:
    short = RELOAD.replace("duration: 60s", "duration: 2s\ndrain_limit: 5s")

    result = result_of(short)

    assert result.metrics["requests.unfinished"] == 2
    assert result.metrics["requests.completed"] == 0


def test_a_place_that_is_never_given_back_is_noticed_at_the_end() -> None:
    chosen = scenario(COLD_START)
    world = World(make_plan(chosen, 0), [Recorder()], Programs())
    world.parts.database.table.nodes["a"].lock.take_if_free()

    with pytest.raises(RuntimeError, match="still held"):
        world.run()


class StrictRecorder(Recorder):
    """Refuses a second end of a request, and anything about it after its end."""

    ended_ids: set[int]

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        self.ended_ids = getattr(self, "ended_ids", set())
        if request.id in self.ended_ids:
            raise RuntimeError(f"request {request.id} ended twice")
        self.ended_ids.add(request.id)
        super().ended(request, outcome, cause)

    def served_from(self, request: Request) -> None:
        if request.id in getattr(self, "ended_ids", set()):
            raise RuntimeError(f"request {request.id} was served after its end")
        super().served_from(request)


def strict_run(chosen: Scenario) -> tuple[World, StrictRecorder]:
    recorder = StrictRecorder()
    world = World(make_plan(chosen, chosen.seed), [recorder], Programs())
    world.run()
    return world, recorder


routers = st.fixed_dictionaries(
    {
        "profile": st.sampled_from(["pinned", "uncached", "fixed", "head", "hardened"]),
        "pick": st.sampled_from(["serial", "read_committed", "locked"]),
    }
)
workloads = st.lists(
    st.fixed_dictionaries(
        {
            "at": st.sampled_from(["0s", "1s", "1500ms", "4s"]),
            "requests": st.integers(1, 8),
            "spread": st.sampled_from(["0s", "10ms", "3s"]),
            "patience": st.sampled_from(["1ms", "500ms", "2s", "5s", "60s"]),
        }
    ),
    min_size=1,
    max_size=4,
)


def flow(mapping: dict[str, Any]) -> str:
    return "{" + ", ".join(f"{key}: {value}" for key, value in mapping.items()) + "}"


@settings(deadline=None, max_examples=60)
@given(
    router=routers,
    bursts=workloads,
    frontends=st.integers(1, 3),
    workers=st.integers(1, 3),
    transaction=st.sampled_from(["0ms", "2ms", "700ms"]),
    tie_order=st.sampled_from(["fifo", "shuffle"]),
    seed=st.integers(0, 2**64 - 1),
)
def test_in_any_world_each_request_ends_once_and_nobody_is_left_in_a_queue(
    router: dict[str, Any],
    bursts: list[dict[str, Any]],
    frontends: int,
    workers: int,
    transaction: str,
    tie_order: str,
    seed: int,
) -> None:
    workload = "".join(f"  - {flow({'kind': 'burst', 'model': 'm'} | burst)}\n" for burst in bursts)
    chosen = scenario(
        f"""
seed: {seed}
duration: 10s
tie_order: {tie_order}
nodes: [{{name: a}}, {{name: b, speed: 0.5}}]
models:
  - name: m
    backend: {{workers: {workers}, load_time: 3s}}
    service: {{mean: 1s}}
    replicas: [{{node: a}}, {{node: b, ready_at: 2s}}]
frontends: {frontends}
registry: {{transaction: {transaction}}}
network: {{latency: 1ms}}
router: {flow(router)}
workload:
{workload}"""
    )

    world, recorder = strict_run(chosen)

    requests = recorder.records.requests
    assert len(recorder.ended_ids) == len(requests) == sum(burst["requests"] for burst in bursts)
    assert not world.parts.runtime.live
    assert world.parts.database.table.drift_ns() >= 0
