"""A trace in Perfetto: its trace processor takes all of it, and answers questions about the run from it."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest

from sim import RunResult
from sim.report.trace.file import trace_events
from sim.report.trace.tracks import Event, Tracks
from tests.report.chromium import NEEDS_CHROMIUM
from tests.report.trace.perfetto_ui import OpenTrace, Perfetto, perfetto
from tests.report.trace.trace_rules import one_lane_for_all

pytestmark = [pytest.mark.long, NEEDS_CHROMIUM]

DROPPED = "select name, sum(value) from stats where severity in ('error', 'data_loss') and value > 0 group by name"
ARROWS = """
select a.name, b.name from flow
join slice a on flow.slice_out = a.id join slice b on flow.slice_in = b.id
where 'probe for request 0' in (a.name, b.name)
order by a.ts
"""
SERVED = """
select count(*) from slice join thread_track on slice.track_id = thread_track.id join thread using (utid)
where thread.name glob 'dgx-spark1#0*' and slice.name glob 'request *'
"""


@pytest.fixture(scope="module")
def viewer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Perfetto]:
    with perfetto(tmp_path_factory.mktemp("perfetto")) as viewer:
        yield viewer


@pytest.fixture(scope="module")
def opened(viewer: Perfetto, events: list[Event]) -> OpenTrace:
    return viewer.open(as_file(events))


def as_file(events: list[Event]) -> bytes:
    return json.dumps({"traceEvents": events}).encode()


def test_it_takes_every_event(opened: OpenTrace, events: list[Event]) -> None:
    written = Counter(event["ph"] for event in events)

    assert opened.query(DROPPED) == []
    assert opened.query("select count(*) from slice") == [[written["X"] + written["i"]]]
    assert opened.query("select count(*) from flow") == [[written["t"] + written["f"]]]
    assert opened.query("select count(*) from counter") == [[written["C"]]]


def test_nodes_are_processes_and_replicas_threads(opened: OpenTrace) -> None:
    threads = opened.query("select process.name, thread.name from thread join process using (upid) where tid > 0")

    assert ["dgx-spark1", "dgx-spark1#0"] in threads
    assert ["frontend 0", "requests"] in threads


def test_it_counts_the_requests_that_a_replica_has_served(opened: OpenTrace, result: RunResult) -> None:
    assert opened.query(SERVED) == [[int(result.requests["start_s"].notna().sum())]]


def test_an_arrow_leads_from_the_pick_by_its_probe_to_the_service(opened: OpenTrace) -> None:
    assert opened.query(ARROWS) == [
        ["pick dgx-spark1#0", "probe for request 0"],
        ["probe for request 0", "request 0"],
    ]


def test_it_drops_slices_that_overlap_on_one_thread(
    viewer: Perfetto, result: RunResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Tracks, "lane", one_lane_for_all)

    opened = viewer.open(as_file(list(trace_events([result]))))

    assert "slice_drop_overlapping_complete_event" in dict(opened.query(DROPPED))
