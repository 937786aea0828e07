"""A tiny run, recorded by hand: every metric and table of it is known on paper.

Two replicas of one model, a and b. Times are in seconds here.

    0    a#0 is published                       10   b#0 is published (b was installed and loaded from 4 to 10)
    request  arrives  picked  vouched      routed  starts  first   ends   how
    0        1        1       a: probe ok  2       2       3       4      completed on a
    1        1        1       a: shared    2       4       5       8      completed on a
    2        5        5       a: fresh     5       8       9       11     completed on a
    3        12       12      b: probe timed out; b is alive, its row is removed at 14; then a, not vouched
                      14                   14      15      -       20     failed on a
    4        16       -       -            -       -       -       -      rejected at 16
    5        17       17      a: fresh     17      -       -       -      unfinished at 30
"""

import pickle
from dataclasses import dataclass, field, replace

import pandas as pd
import pytest

from sim.measure import tables
from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.records import Records
from sim.measure.summary import summarise
from sim.measure.window import Window
from sim.routing.outcomes import Answer, AnswerSource, Outcome, ProbeOutcome
from sim.routing.ports import Journal
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from tests.recorders import recorder_by

S = 1_000_000_000

A = Replica("1", ReplicaKey("a", "qwen3", 0), "a:1", in_flight=0, last_used_ns=-1, available_vram_bytes=8)
B = Replica("2", ReplicaKey("b", "qwen3", 0), "b:1", in_flight=0, last_used_ns=-1, available_vram_bytes=8)

TOTALS = Totals(transactions=100, floor_hits=2, final_in_flight=1, drift_ns=3 * S, end_ns=30 * S)
FACTS = RunFacts(models=("qwen3",))


@dataclass
class HandClock:
    """A clock that is set by hand, in seconds."""

    now_s: float = 0

    def now_ns(self) -> int:
        return round(self.now_s * S)

    def wall_ns(self) -> int:
        return self.now_ns()


@dataclass
class Pen:
    """Writes at a given second."""

    clock: HandClock = field(default_factory=HandClock)

    def __post_init__(self) -> None:
        self.recorder = recorder_by(self.clock)

    def at(self, now_s: float) -> Journal:
        self.clock.now_s = now_s
        return self.recorder


def request(number: int, arrival_s: float) -> Request:
    return Request(number, "qwen3", number % 2, 0, round(arrival_s * S), 100, 10, 0)


@pytest.fixture
def records() -> Records:
    pen = Pen()
    at = pen.at
    r = [request(number, arrival_s) for number, arrival_s in enumerate([1, 1, 5, 12, 16, 17])]
    at(0).row_published(A.key, "scenario")
    for number in (0, 1):
        at(1).arrived(r[number])
        at(1).picked(r[number], A, None)
    at(2).probed(r[0], A.key, A.address, 1 * S, ProbeOutcome.OK)
    at(2).vouched(r[0], Answer(True, AnswerSource.PROBED))
    at(2).vouched(r[1], Answer(True, AnswerSource.SHARED))
    for number, start_s, first_s, end_s in [(0, 2, 3, 4), (1, 4, 5, 8)]:
        at(2).routed(r[number], A.key)
        at(start_s).served_from(r[number])
        at(first_s).first_token(r[number])
        at(end_s).ended(r[number], Outcome.COMPLETED, "")
    at(4).install_started(B.key, redundant=False)
    at(4).load_started(B.key, redundant=False)
    at(5).load_started(B.key, redundant=True)
    at(6).load_ended(B.key, "out of memory")
    at(10).load_ended(B.key, "")
    at(10).row_published(B.key, "loaded")
    at(5).arrived(r[2])
    at(5).picked(r[2], A, Answer(True, AnswerSource.FRESH))
    at(5).routed(r[2], A.key)
    at(8).served_from(r[2])
    at(9).first_token(r[2])
    at(11).ended(r[2], Outcome.COMPLETED, "")
    at(12).arrived(r[3])
    at(12).picked(r[3], B, None)
    at(14).probed(r[3], B.key, B.address, 12 * S, ProbeOutcome.TIMEOUT)
    at(14).vouched(r[3], Answer(False, AnswerSource.PROBED))
    at(14).row_removed(B.key, B.address, "probe timed out", r[3])
    at(14).picked(r[3], A, None)
    at(14).routed(r[3], A.key)
    at(15).served_from(r[3])
    at(20).ended(r[3], Outcome.FAILED, "WrongModel")
    at(16).arrived(r[4])
    at(16).ended(r[4], Outcome.REJECTED, "full")
    at(17).arrived(r[5])
    at(17).picked(r[5], A, Answer(True, AnswerSource.FRESH))
    at(17).routed(r[5], A.key)
    pen.recorder.lock_waited(2 * S)
    pen.recorder.lock_waited(1 * S)
    return pen.recorder.records


WHOLE_RUN = {
    "requests.offered": 6,
    "requests.completed": 3,
    "requests.failed": 1,
    "requests.misrouted": 1,
    "requests.retries": 0,
    "requests.rejected": 1,
    "requests.cancelled": 0,
    "requests.unfinished": 1,
    "requests.outdated": 0,
    # Latencies 3, 7, 6; first tokens after 2, 4, 4; queues 0, 2, 3, 1; routes 1, 1, 0, 2, 0.
    "latency.mean_s": 16 / 3,
    "latency.p50_s": 6,
    "latency.p90_s": 6.8,
    "latency.p95_s": 6.9,
    "latency.p99_s": 6.98,
    "latency.max_s": 7,
    "ttft.mean_s": 10 / 3,
    "ttft.p50_s": 4,
    "ttft.p90_s": 4,
    "ttft.p95_s": 4,
    "ttft.p99_s": 4,
    "ttft.max_s": 4,
    "queue.mean_s": 1.5,
    "queue.p50_s": 1.5,
    "queue.p90_s": 2.7,
    "queue.p95_s": 2.85,
    "queue.p99_s": 2.97,
    "queue.max_s": 3,
    "route.mean_s": 0.8,
    "route.p50_s": 1,
    "route.p90_s": 1.6,
    "route.p95_s": 1.8,
    "route.p99_s": 1.96,
    "route.max_s": 2,
    "throughput_per_s": 3 / 11,
    # Completed: a 3, b 0, and b was ready before the last arrival. Busy: a 2 + 4 + 3 s, b none.
    "fairness.jain": 0.5,
    "fairness.max_over_mean": 2,
    "fairness.cv": 1,
    "fairness.gini": 0.5,
    "fairness.entropy": 0,
    "fairness.busiest_share": 1,
    "fairness.longest_streak": 3,
    # 3 over 2 at random: 3 + 0 in 1 of 4 cases (J = 1/2), 2 + 1 in the others (J = 9/10).
    "fairness.jain_random": 0.8,
    "fairness.busy_jain": 0.5,
    "fairness.busy_max_over_mean": 2,
    "fairness.busy_cv": 1,
    "fairness.busy_gini": 0.5,
    "fairness.busy_entropy": 0,
    "fairness.busy_busiest_share": 1,
    # Both nodes are of speed 1.
    "fairness.capacity_jain": 0.5,
    "fairness.capacity_max_over_mean": 2,
    "fairness.capacity_cv": 1,
    "fairness.capacity_gini": 0.5,
    "fairness.capacity_entropy": 0,
    "fairness.capacity_busiest_share": 1,
    # Requests 0 and 1 came together while only a was ready.
    "burst.max_over_ideal": 1,
    "replicas.a#0.requests": 3,
    "replicas.a#0.share": 1,
    "replicas.a#0.utilization": 14 / 30,  # 2 + 4 + 3 s, and 5 s of the request that failed
    "replicas.b#0.requests": 0,
    "replicas.b#0.share": 0,
    "replicas.b#0.utilization": 0,
    "probes.sent": 2,
    "probes.ok": 1,
    "probes.timeouts": 1,
    "probes.failed": 0,
    "probes.coalesced": 1,
    "probes.cache_hits": 2,
    "probes.false_dead": 1,
    "checks.sent": 0,
    "checks.timeouts": 0,
    "checks.failed": 0,
    "rows.removed": 1,
    "rows.removed_alive": 1,
    "processes.outdated_s": 0,
    "rows.misplaced": 0,
    "processes.orphaned_s": 16,
    "rows.evicted": 0,
    "scaling.ups": 0,
    "scaling.downs": 0,
    "nodes.offline": 0,
    "faults.struck": 0,
    "installs.started": 1,
    "installs.redundant": 0,
    "loads.started": 2,
    "loads.redundant": 1,
    "loads.failed": 1,
    "in_flight.final": 1,
    "in_flight.drift_s": 3,
    "in_flight.floor_hits": 2,
    "registry.transactions": 100,
    # 98 times no wait, then 1 s and 2 s: rank 0.99 * 99 = 98.01 lies a hundredth of the way from 1 s to 2 s.
    "registry.lock_wait_p99_s": 1.01,
}


def test_every_metric_of_the_tiny_run_is_the_one_worked_out_on_paper(records: Records) -> None:
    metrics = summarise(records, TOTALS, FACTS)

    assert metrics == pytest.approx(WHOLE_RUN, rel=1e-12)
    assert {type(value) for value in metrics.values()} == {int, float}


def test_a_window_takes_requests_by_arrival_and_the_rest_by_its_own_time(records: Records) -> None:
    metrics = summarise(records, TOTALS, FACTS, Window(after_ns=5 * S, before_ns=12 * S))

    # Request 2 alone, served from 8 to 11 on a; b became ready after the last arrival, at 5, and so does not count.
    assert metrics["requests.offered"] == metrics["requests.completed"] == 1
    assert metrics["throughput_per_s"] == pytest.approx(1 / 6)
    assert metrics["fairness.jain"] == metrics["fairness.jain_random"] == 1
    assert metrics["replicas.a#0.utilization"] == pytest.approx(6 / 7)  # 5 to 8 for request 1, 8 to 11 for request 2
    assert "replicas.b#0.requests" not in metrics
    assert metrics["probes.sent"] == 0
    assert metrics["probes.cache_hits"] == 1
    assert metrics["loads.started"] == metrics["loads.redundant"] == metrics["loads.failed"] == 1


def test_metrics_of_the_whole_run_are_absent_from_a_narrower_window(records: Records) -> None:
    warm = replace(FACTS, warmup_ns=5 * S)

    whole = summarise(records, TOTALS, warm)
    late = summarise(records, TOTALS, warm, Window(after_ns=6 * S))
    early = summarise(records, TOTALS, FACTS, Window(before_ns=30 * S))

    assert whole["registry.transactions"] == 100
    assert whole["requests.offered"] == 4
    assert not [name for name in late | early if name.startswith(("registry.", "in_flight."))]


def test_a_metric_that_does_not_apply_is_absent() -> None:
    idle = Totals(transactions=0, floor_hits=0, final_in_flight=0, drift_ns=0, end_ns=0)

    metrics = summarise(Records(), idle, FACTS)

    absent = ("latency.", "ttft.", "queue.", "route.", "throughput", "fairness.", "burst.", "replicas.")
    assert not [name for name in metrics if name.startswith(absent)]
    assert "registry.lock_wait_p99_s" not in metrics
    assert metrics["requests.offered"] == metrics["probes.sent"] == 0


def test_more_workers_make_a_replica_less_utilized(records: Records) -> None:
    metrics = summarise(records, TOTALS, replace(FACTS, workers={"qwen3": 2}))

    assert metrics["replicas.a#0.utilization"] == pytest.approx(7 / 30)


def test_tables_show_names_and_seconds_and_leave_unknown_cells_empty(records: Records) -> None:
    requests = tables.requests(records, FACTS)

    assert requests["outcome"].tolist() == ["completed"] * 3 + ["failed", "rejected", "unfinished"]
    assert requests["replica"].dropna().tolist() == ["a#0"] * 5
    assert requests["latency_s"].tolist()[:3] == [3, 7, 6]
    assert requests["latency_s"][3:].isna().all()  # only a completed request has a last token
    assert requests["queue_s"].dropna().tolist() == [0, 2, 3, 1]
    assert requests["route_s"].dropna().tolist() == [1, 1, 0, 2, 0]
    assert requests["ttft_s"].dropna().tolist() == [2, 4, 4]
    assert requests["cause"].dropna().tolist() == ["WrongModel", "full"]
    assert requests["prompt_tokens"].dtype == pd.Int64Dtype()
    assert requests["demand_s"].isna().all()  # no service time was drawn


def test_picks_tell_what_vouched_for_them(records: Records) -> None:
    picks = tables.picks(records, FACTS)

    assert picks["request"].tolist() == [0, 1, 2, 3, 3, 5]
    assert picks["replica"].tolist() == ["a#0", "a#0", "a#0", "b#0", "a#0", "a#0"]
    assert picks["source"].dropna().tolist() == ["probed", "shared", "fresh", "probed", "fresh"]
    assert picks["source"].isna().tolist() == [False] * 4 + [True, False]
    assert picks["alive"].isna().tolist() == [False] * 4 + [True, False]
    assert picks["alive"][3] == False  # noqa: E712 - a nullable boolean is not a bool
    assert picks["last_used_s"].isna().all()


def test_probes_and_events_tell_the_truth_beside_the_belief(records: Records) -> None:
    probes, events = tables.probes(records, FACTS), tables.events(records, FACTS)

    assert probes[["outcome", "process_alive"]].values.tolist() == [["ok", True], ["timeout", True]]
    assert probes["end_s"].tolist() == [2, 14]
    removed = events[events["kind"] == "row_removed"].iloc[0]
    assert removed[["t_s", "replica", "address", "request", "cause", "process_alive"]].tolist() == [
        14,
        "b#0",
        "b:1",
        3,
        "probe timed out",
        True,
    ]
    assert events["redundant"].dropna().tolist() == [False, False, True]


def test_the_order_of_recording_runs_through_all_tables(records: Records) -> None:
    numbered = [table(records, FACTS)["seq"] for table in (tables.picks, tables.probes, tables.events)]

    assert sorted(pd.concat(numbered)) == list(range(6 + 2 + 8))


def test_the_table_of_replicas_sums_up_the_run(records: Records) -> None:
    replicas = tables.replicas(records, FACTS, TOTALS.end_ns).set_index("replica")

    assert replicas["ready_s"].to_dict() == {"a#0": 30, "b#0": 4}
    assert replicas["busy_s"].to_dict() == {"a#0": 14, "b#0": 0}
    assert replicas["requests"].to_dict() == {"a#0": 3, "b#0": 0}
    assert replicas["share"].to_dict() == {"a#0": 1, "b#0": 0}
    assert replicas["utilization"].to_dict() == {"a#0": pytest.approx(14 / 30), "b#0": 0}


def test_records_survive_the_way_to_another_process(records: Records) -> None:
    copy = pickle.loads(pickle.dumps(records))

    assert copy.digest() == records.digest()
    assert summarise(copy, TOTALS, FACTS) == summarise(records, TOTALS, FACTS)
