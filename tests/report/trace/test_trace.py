"""Traces: all that a run did is in its trace, and a viewer can show it."""

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from sim import RunResult, loads, run
from sim.report.trace.file import trace_events, write_trace
from sim.report.trace.tracks import Event, Tracks
from tests.report.trace.trace_rules import broken_rules, one_lane_for_all

TOKENS = """
name: tokens
duration: 10s
nodes: [{name: a}]
network: {latency: 0s}
registry: {transaction: 0s}
models:
  - name: m
    service: {prefill: 1000/s, decode: 10/s}
    replicas: [{node: a}]
workload: [{kind: burst, model: m, at: 0s, requests: 1, prompt_tokens: 1000, output_tokens: 20}]
"""


def of_phase(events: list[Event], phase: str) -> list[Event]:
    return [event for event in events if event["ph"] == phase]


def threads(events: list[Event]) -> dict[tuple[int, int], str]:
    """Return the threads by their numbers, as `process/thread`."""
    names = {event["pid"]: event["args"]["name"] for event in events if event["name"] == "process_name"}
    return {
        (event["pid"], event["tid"]): f"{names[event['pid']]}/{event['args']['name']}"
        for event in events
        if event["name"] == "thread_name"
    }


def slices_on(events: list[Event], thread: str) -> list[Event]:
    """Return the slices of the thread and of its further lanes."""
    where = threads(events)
    found = of_phase(events, "X")
    return [event for event in found if where[event["pid"], event["tid"]].split(" (")[0] == thread]


def test_a_viewer_drops_nothing_of_it(events: list[Event]) -> None:
    assert list(broken_rules(events)) == []


def test_each_request_that_was_served_has_a_slice_on_its_replica(result: RunResult, events: list[Event]) -> None:
    slices = slices_on(events, "dgx-spark1/dgx-spark1#0")

    served = result.requests.dropna(subset=["start_s", "served_s"])
    times = {
        event["name"]: (event["ts"], event["ts"] + event["dur"])
        for event in slices
        if event["name"].startswith("request")
    }
    assert len(times) == len(served) > 50
    for request, start_s, served_s in zip(served["request"], served["start_s"], served["served_s"], strict=True):
        assert times[f"request {request}"] == pytest.approx((start_s * 1e6, served_s * 1e6))


def test_an_arrow_leads_from_the_arrival_by_pick_and_probe_to_the_service(
    result: RunResult, events: list[Event]
) -> None:
    probed = result.probes.query("request == request")["request"].iloc[0]
    where = threads(events)

    way = [
        (event["ph"], where[event["pid"], event["tid"]])
        for event in sorted((one for one in events if one["ph"] in "stf"), key=lambda one: one["ts"])
        if event["id"] == probed
    ]

    assert way[:2] == [("s", "frontend 0/requests"), ("t", "frontend 0/requests")]
    assert ("t", "dgx-spark1/probes of dgx-spark1#0") in way
    assert way[-1] == ("f", "dgx-spark1/dgx-spark1#0")


def test_rows_that_are_reaped_and_loads_are_instants_at_their_replica(result: RunResult, events: list[Event]) -> None:
    shown = Counter(event["name"] for event in of_phase(events, "i"))

    recorded = Counter(str(kind).replace("_", " ") for kind in result.events["kind"])
    assert shown == recorded
    assert shown["row removed"] > 5
    assert {threads(events)[event["pid"], event["tid"]] for event in of_phase(events, "i")} == {
        "dgx-spark1/dgx-spark1#0"
    }


def test_the_counter_follows_the_requests_in_flight(result: RunResult, events: list[Event]) -> None:
    counted = [(event["ts"], event["args"]["requests"]) for event in of_phase(events, "C")]

    # What comes and goes at one instant is counted together in the table.
    last_at = {round(ts): count for ts, count in counted}
    for t_s, in_flight in zip(result.in_flight["t_s"], result.in_flight["in_flight"], strict=True):
        assert last_at[round(t_s * 1e6)] == in_flight
    assert counted[-1][1] == 0
    assert max(count for _, count in counted) == result.in_flight["in_flight"].max()


def test_prefill_and_decode_are_within_the_slice_of_their_request() -> None:
    events = list(trace_events([run(loads(TOKENS))]))

    names = [(event["name"], event["ts"], event["dur"]) for event in slices_on(events, "a/a#0")]
    assert names == [("request 0", 0.0, 3e6), ("prefill", 0.0, 1e6), ("decode", 1e6, 2e6)]
    assert list(broken_rules(events)) == []


def test_a_pick_for_a_client_that_has_left_is_not_laid_under_the_next_request() -> None:
    result = run("scenarios/long_load.yaml", "fixed")
    left = result.picks.merge(result.requests, on="request").query("t_s > end_s")

    assert len(left) > 0
    assert list(broken_rules(trace_events([result]))) == []


def test_of_several_runs_each_has_processes_and_arrows_of_its_own(result: RunResult) -> None:
    events = list(trace_events([result, result]))

    assert list(broken_rules(events)) == []
    starts = Counter(event["id"] for event in of_phase(events, "s"))
    assert len(starts) == 2 * len(result.requests)
    assert set(starts.values()) == {1}


def test_a_file_that_ends_in_gz_is_compressed_and_the_same(result: RunResult, tmp_path: Path) -> None:
    write_trace(tmp_path / "trace.json", [result])
    write_trace(tmp_path / "trace.json.gz", [result])

    plain = (tmp_path / "trace.json").read_bytes()
    assert gzip.decompress((tmp_path / "trace.json.gz").read_bytes()) == plain
    assert json.loads(plain)["traceEvents"] == list(trace_events([result]))


def test_requests_that_overlap_on_one_thread_are_found(result: RunResult, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Tracks, "lane", one_lane_for_all)

    assert any("outlasts" in rule for rule in broken_rules(trace_events([result])))


def without(phase: str, events: list[Event]) -> Iterator[Event]:
    return (event for event in events if event["ph"] != phase)


def test_arrows_without_a_start_and_threads_without_a_name_are_found(events: list[Event]) -> None:
    assert any("has no start" in rule for rule in broken_rules(without("s", events)))
    assert any("has no name" in rule for rule in broken_rules(without("M", events)))
