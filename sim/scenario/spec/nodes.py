"""A machine that takes replicas."""

from pydantic import Field

from sim.scenario.spec.base import Name, Spec
from sim.scenario.spec.control_plane import Labels
from sim.scenario.spec.service_profiles import Hardware
from sim.scenario.text.units import Size


class NodeSpec(Spec):
    """A machine that takes replicas."""

    name: Name
    """Name of the node, by which replicas and faults refer to it."""
    vram_bytes: Size = Field(default=128 * 10**9, alias="vram", ge=1)
    """Memory for models."""
    slots: int = Field(default=1, ge=1, le=1000)
    """Largest number of replicas of one model on the node."""
    speed: float = Field(default=1.0, ge=0.001, le=1000)
    """Work done per second, relative to a node of speed 1."""
    hardware: Hardware | None = None
    """Kind of machine, which selects the token rates of a service profile."""
    labels: Labels = Field(default_factory=dict)
    """Labels that a model's selector is compared with."""
    disk_bytes: Size = Field(default=0, alias="disk")
    """Disk space for files of models; 0 if unknown, which holds anything."""
