"""The liveness checks of a run, counted apart from the probes."""

from sim import loads, run
from sim.measure.result import RunResult

# The probe finds the replica idle or remembers it, and the check waits behind the request that went before.
BUSY = """
name: checks
duration: 60s
nodes: [{name: a}]
models:
  - name: m
    backend: {workers: 1, health: serialized}
    service: {mean: 15s, distribution: deterministic}
    replicas: [{node: a}]
workload:
  - {kind: burst, model: m, at: 1s, requests: 1}
  - {kind: burst, model: m, at: 5s, requests: 1}
"""


def checks(result: RunResult) -> tuple[float, float, float]:
    return tuple(result.metrics[f"checks.{name}"] for name in ("sent", "timeouts", "failed"))  # type: ignore[return-value]


def test_a_check_that_waits_behind_a_request_for_more_than_10_s_is_a_timeout() -> None:
    assert checks(run(loads(BUSY))) == (2, 1, 0)


def test_a_check_of_a_process_that_has_gone_is_a_failure() -> None:
    gone = BUSY.replace("15s", "1s") + "faults: [{kind: replica_exit, model: m, node: a, at: 4s}]\n"

    assert checks(run(loads(gone))) == (2, 0, 1)


def test_a_router_that_makes_no_checks_has_sent_none() -> None:
    assert checks(run(loads(f"{BUSY}router: {{profile: hardened}}\n"))) == (0, 0, 0)
