"""Clients that leave, send again, read slowly or come all at once."""

import pytest

from sim.measure.result import RunResult
from tests.simulated.faults.worlds import outcomes, run_with, struck, told, without_and_with

STEADY = """
duration: 20s
nodes: [{name: a}]
models:
  - name: m
    service: {mean: 1s, distribution: deterministic}
    replicas: [{node: a}]
registry: {transaction: 2ms}
network: {latency: 5ms}
router: {profile: uncached}
workload:
  - {kind: uniform, model: m, rate: 0.5/s}
"""
"""Nine requests, two seconds apart; each is picked in 2 ms, probed in 10 ms and served in 1 s."""
TWO_SOURCES = f"{STEADY}  - {{kind: burst, model: m, at: 5s, requests: 1}}\n"
AT_ONCE = STEADY.replace("uniform, model: m, rate: 0.5/s", "burst, model: m, at: 1s, requests: 3")
BY_TOKENS = STEADY.replace("mean: 1s, distribution: deterministic", "prefill: 1000/s, decode: 10/s").replace(
    "rate: 0.5/s", "rate: 0.5/s, prompt_tokens: 500, output_tokens: 10"
)


def wide(world: str) -> str:
    """Return the world with enough workers for all its requests."""
    return world.replace("    replicas", "    backend: {workers: 9}\n    replicas")


def served_s(result: RunResult) -> list[float]:
    """Return how long each request was served, as far as it was, until its counts were given back 4 ms later."""
    requests = result.requests.dropna(subset=["start_s"])
    return [round(time_s, 6) for time_s in requests["end_s"] - requests["start_s"]]


def test_clients_who_leave_before_the_pick_at_once_are_never_picked_for() -> None:
    stay, leave = without_and_with(STEADY, "kind: client_leaves, rate: 1, stage: before_pick")

    assert (outcomes(stay), len(stay.picks)) == (["completed"] * 9, 9)
    assert (outcomes(leave), len(leave.picks)) == (["cancelled"] * 9, 0)
    assert set(leave.requests["cause"]) == {"client_left"}
    assert leave.requests["end_s"].tolist() == leave.requests["arrival_s"].tolist()
    assert struck(leave) == [(arrival_s, "source 0") for arrival_s in leave.requests["arrival_s"]]


@pytest.mark.parametrize(("after", "left"), [("1ms", 9), ("3ms", 0)])
def test_who_is_picked_for_by_the_time_at_which_he_would_leave_before_that_stays(after: str, left: int) -> None:
    result = run_with(STEADY, f"kind: client_leaves, rate: 1, stage: before_pick, after: {after}")

    assert result.metrics["requests.cancelled"] == left
    assert len(result.picks) == 9 - left
    assert len(struck(result)) == left
    assert result.metrics["in_flight.final"] == 0


def test_clients_who_leave_during_the_probe_cut_it_short_and_give_their_place_back() -> None:
    stay, leave = without_and_with(STEADY, "kind: client_leaves, rate: 1, stage: during_probe, after: 4ms")

    assert (stay.metrics["probes.ok"], stay.metrics["probes.failed"]) == (9, 0)
    assert (leave.metrics["probes.ok"], leave.metrics["probes.failed"]) == (0, 9)
    assert outcomes(leave) == ["cancelled"] * 9
    assert leave.requests["end_s"].tolist() == pytest.approx((leave.requests["arrival_s"] + 0.006).tolist())
    assert leave.metrics["rows.removed"] == 0
    assert leave.metrics["in_flight.final"] == 0


def test_clients_who_leave_in_mid_stream_free_the_worker_for_the_next() -> None:
    stay, leave = without_and_with(AT_ONCE, "kind: client_leaves, rate: 1, stage: mid_stream, after: 300ms")

    assert served_s(stay) == [1.009] * 3
    assert served_s(leave) == [0.3] * 3
    assert outcomes(leave) == ["cancelled"] * 3
    starts_s = sorted(leave.requests["start_s"])
    assert starts_s[1:] == pytest.approx([starts_s[0] + 0.3, starts_s[0] + 0.6])
    assert leave.metrics["in_flight.final"] == 0
    assert leave.metrics["in_flight.drift_s"] == 0


def test_only_clients_of_the_source_and_the_window_leave() -> None:
    fault = "kind: client_leaves, rate: 1, stage: mid_stream"

    of_one = run_with(TWO_SOURCES, f"{fault}, source: 1")
    for_a_while = run_with(TWO_SOURCES, f"{fault}, at: 7s, lasts: 4s")

    assert of_one.requests[["source", "outcome"]].drop_duplicates().values.tolist() == [
        [0, "completed"],
        [1, "cancelled"],
    ]
    cancelled = for_a_while.requests["outcome"] == "cancelled"
    assert for_a_while.requests["arrival_s"][cancelled].tolist() == [8, 10]


def test_a_client_that_leaves_while_it_loads_the_model_takes_the_load_along() -> None:
    cold = AT_ONCE.replace("    replicas: [{node: a}]\n", "    backend: {load_time: 9s}\n")

    stay, leave = without_and_with(cold, "kind: client_deadline, deadline: 5s")

    assert outcomes(stay) == ["completed"] * 3
    assert outcomes(leave) == ["cancelled"] * 3
    assert told(leave, "row_published") == []


def test_a_deadline_ends_what_takes_longer_and_nothing_else() -> None:
    without, result = without_and_with(AT_ONCE, "kind: client_deadline, deadline: 2500ms")

    assert outcomes(without) == ["completed"] * 3
    assert outcomes(result) == ["completed", "completed", "cancelled"]
    assert result.requests["end_s"].max() == 3.5
    assert struck(result) == [(3.5, "source 0")]
    assert result.metrics["in_flight.final"] == 0


def test_an_answer_due_at_the_very_instant_of_the_deadline_ends_the_request_once() -> None:
    at_the_instant = STEADY.replace("2ms", "0ms").replace("5ms", "0ms")

    result = run_with(at_the_instant, "kind: client_deadline, deadline: 1s")

    assert result.requests["end_s"].tolist() == (result.requests["arrival_s"] + 1).tolist()
    assert "unfinished" not in outcomes(result)


def test_a_failed_request_is_sent_again_as_often_as_it_may_be_each_time_as_one_of_its_own() -> None:
    down = "kind: frontend_crash, frontend: 0, at: 0s"

    once = run_with(AT_ONCE, down)
    stormy = run_with(AT_ONCE, down, "kind: retry_storm, retries: 3, delay: 2s")

    assert once.requests[["arrival_s", "outcome"]].values.tolist() == [[1, "failed"], [1, "failed"], [1, "failed"]]
    # A frontend that is down refuses after 10 ms, and its clients wait for 2 s more.
    again_s = [3.01] * 3 + [5.02] * 3 + [7.03] * 3
    assert stormy.requests["arrival_s"].tolist() == [1] * 3 + again_s
    assert outcomes(stormy) == ["failed"] * 12
    assert struck(stormy)[1:] == [(time_s, "source 0") for time_s in again_s]


def test_a_request_that_was_turned_away_is_sent_again_until_the_model_is_loaded() -> None:
    cold = AT_ONCE.replace("    replicas: [{node: a}]\n", "    backend: {load_time: 18s}\n").replace(
        "profile: uncached", "profile: hardened, control: {load_wait: 5s}"
    )

    once, stormy = without_and_with(cold, "kind: retry_storm, retries: 100")

    assert outcomes(once) == ["rejected"] * 3
    assert outcomes(stormy) == ["rejected"] * 12 + ["completed"] * 3
    assert stormy.requests["arrival_s"].tolist()[::3] == pytest.approx([1, 6, 11, 16, 21], abs=0.1)


def test_clients_of_a_frontend_that_is_down_send_again_until_it_is_back() -> None:
    crash = "kind: frontend_crash, frontend: 0, at: 5500ms, restart_after: 3s"

    lost = run_with(STEADY, crash)
    stormy = run_with(STEADY, crash, "kind: retry_storm, retries: 5, delay: 1s")

    assert (lost.metrics["requests.failed"], lost.metrics["requests.completed"]) == (2, 7)
    assert stormy.metrics["requests.completed"] == 9
    assert stormy.requests["arrival_s"].tolist() == [2, 4, 6, 7.01, 8, 8.02, 9.01, 9.03, 10, 12, 14, 16, 18]


def test_requests_that_complete_or_whose_clients_left_are_not_sent_again() -> None:
    _, result = without_and_with(
        AT_ONCE, "kind: client_deadline, deadline: 1500ms", "kind: retry_storm, retries: 5, delay: 1s"
    )

    assert outcomes(result) == ["completed", "cancelled", "cancelled"]


@pytest.mark.parametrize("world", [STEADY, BY_TOKENS], ids=["drawn", "by tokens"])
def test_a_slow_reader_has_his_answer_take_longer(world: str) -> None:
    fast, slow = without_and_with(wide(world), "kind: slow_reader, rate: 1, factor: 3, at: 5s, lasts: 6s")

    # In both worlds an answer takes 1 s, and 3 s where it is read slowly.
    added_s = (slow.requests["latency_s"] - fast.requests["latency_s"]).round(6)
    assert added_s.tolist() == [0, 0, 2, 2, 2, 0, 0, 0, 0]
    assert slow.requests["ttft_s"].fillna(0).tolist() == fast.requests["ttft_s"].fillna(0).tolist()
    assert [place for _, place in struck(slow)] == ["source 0"] * 3


def test_a_slow_reader_keeps_the_worker_from_others() -> None:
    fast, slow = without_and_with(TWO_SOURCES, "kind: slow_reader, rate: 1, factor: 20, source: 1")

    assert fast.metrics["rows.removed"] == 0
    assert served_s(slow)[2] == 20.009
    # The one worker is busy from 5 s to 25 s, too long for the probe of whoever comes next.
    assert slow.metrics["probes.timeouts"] > fast.metrics["probes.timeouts"]
    assert slow.metrics["rows.removed_alive"] > 0


@pytest.mark.parametrize("world", [STEADY, BY_TOKENS], ids=["drawn", "by tokens"])
def test_a_burst_of_clients_comes_in_one_instant_to_all_frontends_alike(world: str) -> None:
    calm, burst = without_and_with(
        f"frontends: 2\n{world}", "kind: client_burst, model: m, at: 19500ms, requests: 40, demand: 2s"
    )

    added = burst.requests[burst.requests["source"] == 1]
    assert len(burst.requests) == len(calm.requests) + 40
    assert set(added["arrival_s"]) == {19.5}
    assert added["frontend"].value_counts().to_dict() == {0: 20, 1: 20}
    assert set(added["outcome"]) == {"completed"}
    served = (added["end_s"] - added["start_s"]).round(6)
    assert set(served) == {2.009}
    assert struck(burst) == [(19.5, "m")]


@pytest.mark.parametrize(("dealing", "frontends"), [("random", {0, 1, 2, 3}), ("hash", {3})])
def test_a_burst_of_clients_is_dealt_as_the_scenario_deals(dealing: str, frontends: set[int]) -> None:
    world = f"frontends: {{count: 4, dealing: {dealing}}}\n{STEADY}"

    burst = run_with(world, "kind: client_burst, model: m, at: 19500ms, requests: 40").requests

    dealt = burst[burst["source"] == 1]["frontend"]
    assert set(dealt) == frontends
    assert dealt.tolist() != [number % 4 for number in range(40)]


@pytest.mark.parametrize(
    "fault",
    [
        "kind: client_leaves, rate: 0.5, stage: before_pick",
        "kind: client_leaves, rate: 0.5, stage: during_probe, after: 1ms",
        "kind: client_leaves, rate: 0.5, stage: mid_stream, after: 100ms",
        "kind: client_deadline, rate: 0.5, deadline: 1s",
        "kind: slow_reader, rate: 0.5, factor: 4",
        "kind: client_burst, model: m, at: 3s, requests: 5",
    ],
)
def test_two_runs_have_one_digest_and_no_place_is_left_over(fault: str) -> None:
    calm, one = without_and_with(STEADY, fault)

    assert one.digest == run_with(STEADY, fault).digest != calm.digest
    assert one.metrics["in_flight.final"] == 0
    assert one.metrics["requests.unfinished"] == 0
