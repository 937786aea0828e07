"""A node dies under load: who finds out when, and what it costs."""

import pytest

from sim import RunResult, load, run
from tests.scenarios.shipped import FOLDER

CRASHES_S = range(60, 76)
"""One for every second of a heartbeat and of a tick of the health monitor, so that all ways they can fall are tried."""


def crashed_at(second: int, variant: str) -> RunResult:
    return run(load(FOLDER / "node_crash.yaml", [f"faults.0.at={second}s"]), variant)


@pytest.mark.parametrize("variant", ["fixed", "hardened"])
@pytest.mark.parametrize("second", CRASHES_S)
def test_a_crash_is_found_out_in_45_to_75_s(second: int, variant: str) -> None:
    result = crashed_at(second, variant)

    # A heartbeat up to 10 s before the crash, 60 s until it is stale, up to 15 s until somebody looks.
    assert 45 <= result.metrics["nodes.detection_max_s"] <= 75


@pytest.mark.parametrize("variant", ["fixed", "hardened"])
def test_every_request_ends_once_and_those_that_fail_have_a_cause(variant: str) -> None:
    requests = crashed_at(62, variant).requests
    failed = requests[requests["outcome"] != "completed"]

    assert (requests["outcome"] != "unfinished").all()
    assert len(failed) > 0
    assert set(failed["cause"]) <= {"Unavailable", "NoReplica", "FlightFailed"}


@pytest.mark.parametrize("variant", ["fixed", "hardened"])
def test_the_dead_node_receives_nothing_once_it_is_offline(variant: str) -> None:
    result = crashed_at(62, variant)
    events, picks = result.events, result.picks
    offline_s = events[events["status"] == "offline"]["t_s"].item()

    to_the_dead = picks[picks["replica"].astype(str).str.startswith("n0#")]

    assert to_the_dead["t_s"].max() < offline_s
    assert (picks["t_s"] > offline_s).sum() > 100


@pytest.mark.parametrize("variant", ["fixed", "hardened"])
def test_the_minimum_is_restored_on_the_node_that_is_left(variant: str) -> None:
    result = crashed_at(62, variant)
    events = result.events
    restored = events[(events["kind"] == "row_published") & (events["cause"] == "scale_up")]

    assert restored["replica"].tolist() == ["n2#0"]
    assert result.metrics["scaling.below_min_s"] == pytest.approx(restored["t_s"].item() - 62, abs=1e-6)


def test_why_a_row_was_deleted_is_one_filter() -> None:
    events = crashed_at(62, "fixed").events

    assert events[events["kind"] == "row_removed"]["cause"].notna().all()
    assert events[events["kind"] == "node_changed"]["cause"].tolist() == ["stale_heartbeat"]
    assert events[events["kind"] == "scaled"]["cause"].unique().tolist() == ["below_minimum"]
    assert events[events["kind"] == "fault_struck"]["cause"].tolist() == ["node_crash"]
