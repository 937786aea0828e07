"""The columns of the timeline against the tables of the same run, which are made another way."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sim.measure.facts import PolicyFacts, RunFacts
from sim.measure.recording.records import Floats, Integers
from sim.measure.result import RunResult
from sim.report.page.timeline import Timeline, timeline_of

RESOLUTION_S = 1.1e-6


@pytest.fixture(scope="module")
def timeline(result: RunResult, choices: pd.DataFrame) -> Timeline:
    return timeline_of(result, "fixed", choices)


def seconds(steps: Integers) -> Floats:
    return np.cumsum(steps) / 1e6


def after(times: Floats, offsets: Integers) -> Floats:
    return np.where(offsets == -1, np.nan, times + offsets / 1e6)


def same_times(ours: Floats, theirs: "pd.Series[float]") -> bool:
    return np.allclose(ours, theirs.to_numpy(), rtol=0, atol=RESOLUTION_S, equal_nan=True)


def same_names(names: list[str], codes: Integers, theirs: "pd.Series[str]") -> bool:
    words = [dict(enumerate(names)).get(code) for code in codes]
    return words == theirs.astype(object).where(theirs.notna(), None).tolist()


def wrong_columns(timeline: Timeline, result: RunResult, choices: pd.DataFrame) -> set[str]:
    """Return the columns that do not say what the tables say."""
    columns, names = timeline.columns, timeline.names
    labels = [lane["label"] for lane in names["lanes"]]
    arrival, start = seconds(columns["requests.arrival"]), seconds(columns["probes.start"])
    last_used = columns["choices.last_used"] / names["last_used_per_s"]
    requests, picks, events = result.requests, result.picks, result.events
    probes = result.probes.sort_values("start_s", kind="stable")
    right = {
        "requests.arrival": same_times(arrival, requests["arrival_s"]),
        "requests.routed": same_times(after(arrival, columns["requests.routed"]), requests["routed_s"]),
        "requests.start": same_times(after(arrival, columns["requests.start"]), requests["start_s"]),
        "requests.served": same_times(after(arrival, columns["requests.served"]), requests["served_s"]),
        "requests.end": same_times(after(arrival, columns["requests.end"]), requests["end_s"]),
        "requests.lane": same_names(labels, columns["requests.lane"], requests["replica"]),
        "requests.outcome": same_names(names["outcomes"], columns["requests.outcome"], requests["outcome"]),
        "picks.t": same_times(seconds(columns["picks.t"]), picks["t_s"]),
        "picks.request": list(columns["picks.request"]) == list(picks["request"]),
        "picks.lane": same_names(labels, columns["picks.lane"], picks["replica"]),
        "picks.in_flight": list(columns["picks.in_flight"]) == list(picks["in_flight"]),
        "picks.source": same_names(names["sources"], columns["picks.source"], picks["source"]),
        "picks.candidates": list(columns["picks.candidates"]) == list(choices.groupby("pick").size()),
        "choices.lane": same_names(labels, columns["choices.lane"], choices["replica"]),
        "choices.in_flight": list(columns["choices.in_flight"]) == list(choices["in_flight"]),
        "choices.last_used": same_times(last_used, choices["last_used_s"]),
        "choices.vram": list(columns["choices.vram"]) == list(choices["available_vram_bytes"]),
        "probes.start": same_times(start, probes["start_s"]),
        "probes.end": same_times(after(start, columns["probes.end"]), probes["end_s"]),
        "probes.lane": same_names(labels, columns["probes.lane"], probes["replica"]),
        "probes.outcome": same_names(names["probe_outcomes"], columns["probes.outcome"], probes["outcome"]),
        "events.t": same_times(seconds(columns["events.t"]), events["t_s"]),
        "events.kind": same_names(names["kinds"], columns["events.kind"], events["kind"]),
        "events.lane": same_names(labels, columns["events.lane"], events["replica"]),
        "events.cause": same_names(names["causes"], columns["events.cause"], events["cause"]),
    }
    return {name for name, is_right in right.items() if not is_right}


def test_the_columns_say_what_the_tables_say(timeline: Timeline, result: RunResult, choices: pd.DataFrame) -> None:
    assert wrong_columns(timeline, result, choices) == set()


@pytest.mark.parametrize("name", ["requests.served", "picks.lane", "choices.in_flight", "probes.end", "events.cause"])
def test_a_planted_slip_is_found(timeline: Timeline, result: RunResult, choices: pd.DataFrame, name: str) -> None:
    slipped = timeline.columns[name].copy()
    slipped[-1] += 2

    planted = replace(timeline, columns={**timeline.columns, name: slipped})

    assert wrong_columns(planted, result, choices) == {name}


def test_lanes_lie_node_by_node_in_the_order_of_the_scenario(result: RunResult, choices: pd.DataFrame) -> None:
    facts = RunFacts(("qwen3",), speeds={"qwen3": {"thor": 1.0, "spark": 1.0}})

    timeline = timeline_of(replace(result, facts=facts), "fixed", choices)

    assert timeline.names["lanes"] == [{"label": "thor#0", "node": "thor"}, {"label": "spark#0", "node": "spark"}]


def test_a_run_of_which_nobody_wrote_down_the_choices_has_none(result: RunResult) -> None:
    timeline = timeline_of(result, "fixed", None)

    assert not timeline.columns["picks.candidates"].any()
    assert "choices.lane" not in timeline.columns


@pytest.mark.parametrize(("ties", "rule"), [("first", "first"), ("random", "ties"), ("rotate", "ties")])
def test_it_names_the_rule_that_explains_a_tie(result: RunResult, ties: str, rule: str) -> None:
    facts = replace(result.facts, policies=(PolicyFacts("best_replica", ties),))

    names = timeline_of(replace(result, facts=facts), "fixed", None).names

    assert [policy["tie"] for policy in names["policies"]] == [rule]
    assert rule in names["reasons"]
