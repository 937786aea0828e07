"""The other assertions on runs: each holds where it should, and says what a person needs where it does not."""

from pathlib import Path

import pytest

from sim import NoSuchMetric, loads, read, run
from sim.testing import assert_no_leak, assert_no_row_removed_alive, assert_not_worse, assert_same_decisions
from tests.testing.late_replica import POLICIES, TEXT

FILE = loads(TEXT, ["models.0.service.distribution=exponential"], policies=POLICIES)
FORGETFUL, RIGHT = run(FILE, "forgetful"), run(FILE, "right")
STALLS = loads("""
name: stalls
duration: 2m
nodes: [{name: n0}]
models:
  - {name: m, service: {mean: 5s}, replicas: [{node: n0}], backend: {health: serialized}}
workload:
  - {kind: burst, model: m, at: 1s, requests: 8}
  - {kind: burst, model: m, at: 20s, requests: 2}
router: {profile: uncached}
""")
LEAKS = loads("""
name: leaks
duration: 1m
nodes: [{name: n0}]
models:
  - {name: m, service: {mean: 1s}, replicas: [{node: n0}]}
workload:
  - {kind: poisson, model: m, rate: 0.5/s}
faults:
  - {kind: transaction_abort, rate: 0.5}
router: {profile: fixed}
""")


def test_the_better_one_is_not_worse_and_the_worse_one_is() -> None:
    assert_not_worse(FORGETFUL, RIGHT, "fairness.jain", reps=4)
    with pytest.raises(AssertionError) as failure:
        assert_not_worse(RIGHT, FORGETFUL, "fairness.jain", reps=4, seed=11)
    message = str(failure.value)
    assert message.startswith("late_replica: fairness.jain of forgetful is worse: ")
    assert "95 % interval -" in message
    assert "(10 % of right)" in message
    assert "means over seeds 11 to 14; the worst is seed 1" in message


def test_a_run_is_not_worse_than_itself() -> None:
    assert_not_worse(RIGHT, RIGHT, "latency.p99_s", margin=0, reps=2)


def test_what_two_seeds_cannot_tell_is_not_taken_for_good() -> None:
    with pytest.raises(AssertionError, match=r"may be worse \((reps=\d+|more seeds) may tell\)"):
        assert_not_worse(RIGHT, FORGETFUL, "latency.p99_s", margin=0, reps=2)


@pytest.mark.parametrize(
    ("metric", "error", "message"),
    [
        ("latency.p98_s", NoSuchMetric, "did you mean 'latency.p99_s'"),
        ("requests.offered", ValueError, "neither more nor less of it is better"),
    ],
)
def test_a_metric_that_cannot_be_compared_is_told(metric: str, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        assert_not_worse(RIGHT, RIGHT, metric, reps=2)


def test_a_result_from_a_folder_is_not_run_again(tmp_path: Path) -> None:
    leaky = run(LEAKS)
    leaky.save(tmp_path / "run")
    with pytest.raises(TypeError, match="mine: a result that was read"):
        assert_not_worse(leaky, read(tmp_path / "run"), "latency.p99_s")


def test_a_live_row_that_was_removed_is_named_with_time_and_cause() -> None:
    assert_no_row_removed_alive(RIGHT)
    with pytest.raises(AssertionError, match=r"stalls, .*rows of live replicas were deleted\nn0#0 at .* probe_failed"):
        assert_no_row_removed_alive(run(STALLS))


def test_a_count_that_was_never_given_back_is_a_leak() -> None:
    assert_no_leak(RIGHT)
    with pytest.raises(AssertionError, match=r"leaks, .* count \d+ requests in flight, and 0 are unfinished"):
        assert_no_leak(run(LEAKS))


def test_runs_that_part_are_shown_at_their_first_other_pick() -> None:
    assert_same_decisions(RIGHT, run(FILE, "right"))
    with pytest.raises(AssertionError) as failure:
        assert_same_decisions(RIGHT, FORGETFUL)
    head, difference, of_a, of_b, *table = str(failure.value).splitlines()
    assert head.startswith(
        "the runs decided differently: a is late_replica, right, seed 0; b is late_replica, forgetful"
    )
    assert difference.startswith("first difference at ")
    assert (of_a.split()[:2], of_b.split()[:2]) == (["a", "took"], ["b", "took"])
    assert [row.split()[0] for row in table] == ["replica", "a", "n0#0", "n1#0", "n2#0"]
