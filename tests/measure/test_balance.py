import numpy as np
import pytest

from sim.measure.analysis.readiness import ReadyTime
from sim.measure.catalogue.bursts import burst_max_over_ideal
from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.records import MISSING
from sim.measure.summary import summarise
from sim.routing.outcomes import Outcome
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from tests.hand_clock import HandClock
from tests.measure.hand_made import figures, served
from tests.recorders import recorder_by


def always(*codes: int) -> dict[int, ReadyTime]:
    return {code: ReadyTime(np.array([0]), np.array([10**9])) for code in codes}


# Arrivals (instant, replica) of one model, its replicas that are ready, the ratio.
BURSTS = {
    "an even burst is ideal": ([(5, 0), (5, 1)], always(0, 1), 1.0),
    "a herd of four on one of two": ([(5, 0)] * 4, always(0, 1), 2.0),
    "the worst of two bursts counts": ([(5, 0), (5, 1), (9, 1), (9, 1)], always(0, 1), 2.0),
    "fewer requests than replicas are no burst": ([(5, 0), (5, 0)], always(0, 1, 2), None),
    "requests that came apart are no burst": ([(5, 0), (6, 0)], always(0), None),
    "requests without a route do not count": ([(5, 0), (5, MISSING)], always(0), None),
    "a replica that was loaded for the burst shares it": ([(5, 7)] * 2, {}, 1.0),
    "a replica that was not ready yet does not": (
        [(5, 0), (5, 0)],
        always(0) | {1: ReadyTime(np.array([6]), np.array([9]))},
        1.0,
    ),
    "nothing arrived": ([], always(0), None),
}


@pytest.mark.parametrize("case", BURSTS)
def test_a_burst_is_held_against_an_even_split(case: str) -> None:
    requests, ready, ratio = BURSTS[case]
    arrivals_ns, replicas = np.array(requests, dtype=np.int64).reshape(-1, 2).T

    assert burst_max_over_ideal(arrivals_ns, replicas, ready) == ratio


A, B, C = (ReplicaKey(node, "m", 0) for node in "abc")


def test_a_replica_that_stands_idle_counts_against_fairness() -> None:
    metrics = figures(served([A, B] * 5, ready=[A, B, C]), "m")

    assert metrics["fairness.jain"] == pytest.approx(2 / 3)
    assert metrics["replicas.c#0.share"] == 0
    assert metrics["fairness.longest_streak"] == 1


def test_a_replica_that_served_counts_though_it_never_had_a_row() -> None:
    metrics = figures(served([A, B] * 5, ready=[A]), "m")

    assert metrics["fairness.jain"] == 1
    assert metrics["replicas.b#0.requests"] == 5
    assert "replicas.b#0.utilization" not in metrics


def test_service_that_outlasts_the_row_does_not_make_a_replica_more_than_fully_utilized() -> None:
    metrics = figures(served([A] * 10, ready=[A], removed_ns=5_000), "m")

    assert metrics["replicas.a#0.utilization"] == 1


def test_figures_of_service_are_absent_when_no_start_of_service_was_recorded() -> None:
    recorder = recorder_by(HandClock())
    recorder.row_published(A, "scenario")
    request = Request(0, "m", 0, 0, 0, 0, 0, 0)
    recorder.arrived(request)
    recorder.routed(request, A)
    recorder.ended(request, Outcome.COMPLETED, "")

    metrics = summarise(recorder.records, Totals(0, 0, 0, 0, end_ns=10), RunFacts(models=("m",)))

    assert metrics["replicas.a#0.share"] == 1
    assert not [name for name in metrics if name.startswith(("fairness.busy_", "queue.")) or "utilization" in name]
