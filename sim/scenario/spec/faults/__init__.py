"""What goes wrong in a scenario: one class for each kind of fault, which says what happens, when and to whom.

Each family of faults is a module; a class in it that has a `kind` of its own is a kind of fault, in the order of the
file. The module's docstring numbers the faults of the family that scenarios can express: nodes (N), replicas (R),
probes (P), the registry (G), the network (W), clocks (C), clients (U) and frontends (F). Each of them is expressed by a
kind, by a kind with a certain value, or by a key that scenarios have anyway.
"""

from collections.abc import Mapping
from functools import reduce
from operator import or_
from types import ModuleType
from typing import TYPE_CHECKING, Annotated, Literal, get_args, get_origin

from pydantic import Field

from sim.scenario.spec.faults import client, clock, frontend, network, node, probe, registry, replica
from sim.scenario.spec.faults.base import FaultSpec

FAMILIES: Mapping[str, ModuleType] = {
    "node": node,
    "replica": replica,
    "probe": probe,
    "registry": registry,
    "network": network,
    "clock": clock,
    "client": client,
    "frontend": frontend,
}


def _specs(family: ModuleType) -> dict[str, type[FaultSpec]]:
    """Return the family's specs by kind, in the order of the file."""
    return {
        get_args(kind)[0]: spec
        for spec in vars(family).values()
        if isinstance(spec, type) and issubclass(spec, FaultSpec) and spec.__module__ == family.__name__
        if get_origin(kind := spec.model_fields["kind"].annotation) is Literal
    }


FAULT_KINDS: Mapping[str, tuple[str, ...]] = {name: tuple(_specs(family)) for name, family in FAMILIES.items()}
"""The names of all kinds, by family."""

FAULT_SPECS: tuple[type[FaultSpec], ...] = tuple(
    spec for family in FAMILIES.values() for spec in _specs(family).values()
)
"""The specs of all kinds."""

if TYPE_CHECKING:
    AnyFaultSpec = FaultSpec
else:
    AnyFaultSpec = Annotated[reduce(or_, FAULT_SPECS), Field(discriminator="kind")]
"""One fault of a scenario, for pydantic: it reads the spec of the kind that is named."""

__all__ = ["FAMILIES", "FAULT_KINDS", "FAULT_SPECS", "AnyFaultSpec", "FaultSpec"]
