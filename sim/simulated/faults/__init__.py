"""Faults at work: for each kind of a scenario's `faults` a small class, by family."""

from sim.scenario import Scenario, stream
from sim.simulated.faults import client, clock, frontend, node, probe, replica
from sim.simulated.faults.base import Fault, Luck
from sim.simulated.faults.network import messages as network
from sim.simulated.faults.registry import catalogue as registry

_FAULTS = {
    **node.FAULTS,
    **replica.FAULTS,
    **probe.FAULTS,
    **registry.FAULTS,
    **network.FAULTS,
    **clock.FAULTS,
    **client.FAULTS,
    **frontend.FAULTS,
}
"""What makes each kind of spec into a fault, by the spec's class."""


def build_faults(scenario: Scenario) -> list[Fault]:
    """Return the scenario's faults in its order, each with draws of its own."""
    return [
        _FAULTS[type(spec)](spec, Luck(stream(scenario.seed, "fault", f"{number} {spec.kind}", "draws")))
        for number, spec in enumerate(scenario.faults)
    ]
