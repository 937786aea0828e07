"""A machine that takes replicas."""

from pydantic import Field

from sim.scenario.spec.base import Name, Spec
from sim.scenario.spec.control_plane import Labels
from sim.scenario.spec.service_profiles import Hardware
from sim.scenario.text.units import Size


class NodeSpec(Spec):
    """One node."""

    name: Name
    vram_bytes: Size = Field(default=128 * 10**9, alias="vram", ge=1)
    slots: int = Field(default=1, ge=1, le=1000)
    """Most replicas of one model on the node."""
    speed: float = Field(default=1.0, ge=0.001, le=1000)
    """Work done per second, against a node of speed 1."""
    hardware: Hardware | None = None
    """Which column of the service profiles holds for it."""
    labels: Labels = Field(default_factory=dict)
    """What selectors of models ask for."""
    disk_bytes: Size = Field(default=0, alias="disk")
    """0 if unknown, which holds anything."""
