"""In which order a node installs what it is asked for."""

import pytest

from sim import loads, run
from sim.measure.recording.events import EventKind
from sim.routing.units import NS_PER_S

TWO_BACKENDS = """
name: two_backends
duration: 1m
nodes: [{name: n0}]
models:
  - {name: slow, backend: {install_time: 40s, load_time: 0s}, service: {mean: 1s}}
  - {name: quick, backend: {install_time: 2s, load_time: 0s}, service: {mean: 1s}}
network: {latency: 0s}
registry: {transaction: 0s}
workload:
  - {kind: burst, model: slow, at: 1s, requests: 1}
  - {kind: burst, model: quick, at: 2s, requests: 1}
router: {control: {installs: INSTALLS}}
"""


@pytest.mark.parametrize(("installs", "ready_s"), [("by_backend", [4, 41]), ("one_by_one", [41, 43])])
def test_an_install_waits_for_another_backend_only_where_a_node_installs_one_by_one(
    installs: str, ready_s: list[int]
) -> None:
    events = run(loads(TWO_BACKENDS.replace("INSTALLS", installs))).records.events

    published = events["t_ns"][events["kind"] == EventKind.ROW_PUBLISHED] // NS_PER_S

    assert published.tolist() == ready_s
