"""Hours, or a week, in which nothing is asked of a fleet, with all loops on."""

import pytest

from sim import loads, run

IDLE = """
name: idle
duration: DURATION
nodes:
  - {name: n0, slots: 2}
  - {name: n1, slots: 2}
  - {name: n2, slots: 2}
  - {name: n3, slots: 2}
models:
  - {name: a, service: {mean: 1s}, scheduling: {min: 2, max: 4}, replicas: [{node: n0}, {node: n1}]}
  - {name: b, service: {mean: 1s}, scheduling: {min: 1, max: 2}, replicas: [{node: n2}, {node: n3}]}
  - {name: c, service: {mean: 1s}, scheduling: {min: 2}, replicas: [{node: n3}]}
control_plane: {}
workload: []
variants:
  fixed: {}
  hardened: {router: {profile: hardened}}
"""


@pytest.mark.slow
@pytest.mark.parametrize("hours", [4, pytest.param(7 * 24, marks=pytest.mark.long)], ids=["4 hours", "a week"])
@pytest.mark.parametrize("variant", ["fixed", "hardened"])
def test_an_idle_fleet_settles_in_the_first_minutes_and_is_the_same_every_time(variant: str, hours: int) -> None:
    first, second = (run(loads(IDLE.replace("DURATION", f"{hours}h")), variant) for _ in range(2))
    events = first.events

    assert first.digest == second.digest
    assert first.totals.end_ns == hours * 3600 * 10**9
    # One replica more for c, which is below its minimum, and one fewer for b, whose second one nobody uses.
    assert events[events["kind"] == "scaled"][["subject", "scaled_by"]].values.tolist() == [["c", 1], ["b", -1]]
    assert events["t_s"].max() < 600
    assert first.metrics["registry.transactions"] > 4 * hours * 360
