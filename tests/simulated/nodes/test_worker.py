"""In which order a node installs what it is asked for, and what becomes of a load that its disk cannot hold."""

import pytest

from sim import loads, run
from sim.measure.recording.events import EventKind
from sim.routing.units import NS_PER_S
from tests.simulated.faults.worlds import told

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


ONE_DISK = """
name: one_disk
duration: 2m
nodes: [{name: n0, disk: 100GB}]
models:
  - {name: m, disk: SIZE, backend: {install_time: 0s, load_time: 50s}, service: {mean: 1s}}
  - {name: other, disk: 20GB, service: {mean: 1s}, replicas: [{node: n0}]}
network: {latency: 0s}
registry: {transaction: 0s}
workload:
  - {kind: burst, model: m, at: 1s, requests: 1}
router: {control: {disk: ignored}}
"""


# 80 GB are free beside the other model. A load takes 50 s, so the disk is full when that share of it has been fetched.
@pytest.mark.parametrize(
    ("size", "ends_s", "failure"), [("80GB", 51, ""), ("100GB", 41, "CallError"), ("160GB", 26, "CallError")]
)
def test_a_load_fails_when_its_files_have_filled_the_disk(size: str, ends_s: int, failure: str) -> None:
    result = run(loads(ONE_DISK.replace("SIZE", size)))

    assert told(result, "load_ended") == [(ends_s, "load_ended", "m@n0#0", failure)]
