"""The faults of a scenario, made from their specs. Every module of this package is imported, so that none is missed."""

from importlib import import_module
from pkgutil import walk_packages
from typing import Any

from sim.scenario import stream
from sim.simulated import faults
from sim.simulated.faults.base import EFFECTS, Fault, Luck
from sim.simulated.parts import Parts

for _module in walk_packages(faults.__path__, f"{faults.__name__}."):
    import_module(_module.name)


def make_faults(parts: Parts) -> list[Fault[Any]]:
    """Return the scenario's faults in its order, each with random draws of its own."""
    scenario = parts.plan.scenario
    return [
        EFFECTS[type(spec)](spec, parts, Luck(stream(scenario.seed, "fault", f"{number} {spec.kind}", "draws")))
        for number, spec in enumerate(scenario.faults)
    ]
