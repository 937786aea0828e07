"""What a node that answers nobody does to the reconciler's care of the other nodes."""

import pytest

from tests.simulated.faults.worlds import run_with, told

FLEET = """
duration: 900s
drain_limit: 1s
nodes: [{name: a}, {name: b}, {name: c}]
models:
  - name: m
    backend: {install_time: 1s, load_time: 10s}
    service: {mean: 1s, distribution: deterministic}
    scheduling: {min: 3}
    replicas: [{node: a}, {node: b}]
registry: {transaction: 0ms}
network: {latency: 0ms}
workload: []
control_plane: {health_monitor: null, reconciler: {tick: 30s, stale_row_after: 40s}}
frontends: 2
"""


# Side by side, the second frontend's passes of 75 s and 105 s find the turn of `m` under way, and go on to the rows.
@pytest.mark.parametrize(("scaling", "removed_s"), [("in_sequence", []), ("side_by_side", [105])])
def test_an_install_that_nobody_answers_keeps_a_dead_row_for_15_minutes_or_not_at_all(
    scaling: str, removed_s: list[float]
) -> None:
    router = f"router: {{profile: hardened, control: {{scaling: {scaling}}}}}"

    result = run_with(
        FLEET + router, "kind: replica_exit, model: m, node: b, at: 1s", "kind: bus_loss, node: c, rate: 1, at: 1s"
    )

    assert told(result, "row_removed") == [(at_s, "row_removed", "b#0", "not_in_process_table") for at_s in removed_s]
