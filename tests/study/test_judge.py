"""What is expected of something that never happened does not hold, and the verdict says what did not happen."""

import pytest

from sim import judge, loads, run
from sim.measure.expectations import Verdict
from tests.cli.command import BURST, SMALL

# Requests in the first three seconds and at 20 s; a probe of the first ones is still fresh then.
TWICE = SMALL.replace(BURST, "kind: burst, model: qwen3, at: 1s, requests: 4, spread: 2s, every: 19s, stop: 21s")
NEVER = "faults: [{kind: transaction_abort, rate: 0.000001}]\n"
ONCE = "faults: [{kind: replica_exit, node: spark, model: qwen3, at: 40s}]\n"


def judged(expectation: str, scenario: str = TWICE) -> Verdict:
    file = loads(f"{scenario}expect: [{{variant: fixed, {expectation}}}]\n")
    [verdict] = judge(file.expect, {name: run(file, name) for name in file.variants})
    return verdict


EMPTY = {
    "no request in the window": ("metric: requests.failed, max: 0, after: 50s", TWICE, "no request arrived"),
    "no request for a replica to get": (
        "metric: rows.removed_alive, max: 0, after: 50s",
        TWICE,
        "no request arrived and no background loop ran",
    ),
    "no probe where probes are judged": (
        "metric: probes.timeouts, max: 0, after: 10s",
        TWICE,
        "no probe was sent for a request",
    ),
    "no loop where loops are judged": ("metric: scaling.ups, max: 0", TWICE, "no background loop ran"),
    "a fault that never struck": (
        "metric: requests.failed, max: 0",
        TWICE + NEVER,
        "the fault transaction_abort never struck",
    ),
}


@pytest.mark.parametrize("case", EMPTY)
def test_a_bound_that_was_kept_because_nothing_happened_does_not_hold(case: str) -> None:
    expectation, scenario, reason = EMPTY[case]

    verdict = judged(expectation, scenario)

    assert verdict.keeps_bounds is True
    assert (verdict.passed, verdict.reason) == (False, reason)
    assert str(verdict).endswith(f"failed; {reason}")


RIGHTLY_NONE = {
    "probes, because the first were fresh": "metric: probes.sent, max: 0, after: 10s",
    "rows removed": "metric: rows.removed_alive, max: 0",
    "loads": "metric: loads.redundant, max: 0",
    "arrivals": "metric: requests.offered, max: 0, after: 50s",
    "timeouts of probes that were sent": "metric: probes.timeouts, max: 0",
}


@pytest.mark.parametrize("case", RIGHTLY_NONE)
def test_a_count_that_could_have_been_more_than_none_holds_at_none(case: str) -> None:
    assert judged(RIGHTLY_NONE[case]).passed is True


def test_a_fault_that_struck_in_any_of_the_runs_was_there() -> None:
    assert judged("metric: requests.offered, min: 1", TWICE + ONCE).passed is True


def test_variants_that_decide_alike_are_no_comparison_and_this_is_said() -> None:
    alike = TWICE.replace("{router: {profile: pinned}}", "{router: {probe: {timeout: 9s}}}")

    verdict = judged("metric: latency.mean_s, below: pinned", alike)

    assert (verdict.passed, verdict.reason) == (False, "fixed decided exactly as pinned")


def test_a_variant_that_was_not_run_leaves_it_open() -> None:
    file = loads(f"{TWICE}expect: [{{variant: fixed, metric: latency.mean_s, below: pinned}}]\n")

    [verdict] = judge(file.expect, {"fixed": run(file, "fixed")})

    assert verdict.passed is None
