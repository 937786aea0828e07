"""The catalogue of effects: none is missing, and each is made with its spec, the world's parts and luck of its own."""

from sim import loads
from sim.scenario import FAULT_KINDS, make_plan
from sim.scenario.spec.faults import FAULT_SPECS
from sim.simulated.faults.base import EFFECTS
from sim.simulated.faults.catalogue import make_faults
from sim.simulated.machine import IDEAL
from sim.simulated.parts import make_parts

WORLD = """
name: two
duration: 10s
nodes: [{name: a}]
models: [{name: m, service: {mean: 1s}}]
control_plane: {heartbeat: 1s}
workload: []
faults: [{kind: node_reregister, node: a, at: 5s}, {kind: probe_timeout, rate: 0.5}, {kind: probe_timeout, rate: 0.5}]
"""


def test_every_kind_of_spec_has_an_effect_and_every_effect_a_spec() -> None:
    assert {*EFFECTS} == {*FAULT_SPECS}
    assert len(FAULT_SPECS) == sum(len(kinds) for kinds in FAULT_KINDS.values())


def test_faults_are_made_in_the_order_of_the_scenario_from_the_parts_of_one_world() -> None:
    parts = make_parts(make_plan(loads(WORLD).variants["default"], seed=0), observers=[], law_of=IDEAL.law_of)

    faults = make_faults(parts)

    assert [fault.spec for fault in faults] == list(parts.scenario.faults)
    assert all(fault.parts is parts for fault in faults)


def test_two_faults_of_one_kind_have_luck_of_their_own() -> None:
    parts = make_parts(make_plan(loads(WORLD).variants["default"], seed=0), observers=[], law_of=IDEAL.law_of)
    _, one, other = make_faults(parts)

    draws = [[fault.luck.below(1000) for _ in range(20)] for fault in (one, other)]

    assert draws[0] != draws[1]
