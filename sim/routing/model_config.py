"""What is known of a model before any replica of it runs: its needs, and how many replicas it is to have."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class ModelConfig:
    """One model's needs and bounds."""

    name: str
    vram_bytes: int = 0
    """Estimate for one replica; 0 if unknown."""
    disk_bytes: int = 0
    """Size of its files; 0 if unknown."""
    selector: Mapping[str, str] = field(default_factory=dict)
    """Labels that a node must have; empty for any node."""
    conflicts: tuple[str, ...] = ()
    """Models that should not share a node with it."""
    min_replicas: int | None = None
    max_replicas: int | None = None
    """None or 0 for no bound."""
    spread: bool = False
    """Whether every matching node is to have one replica, which then sets both bounds."""

    @property
    def is_bounded(self) -> bool:
        """Whether the reconciler looks after it."""
        return bool(self.min_replicas or self.max_replicas or self.spread)

    @property
    def eviction_floor(self) -> int | None:
        """Loaded replicas that eviction must leave; None if it may take any.

        With a bound written, a minimum that is not counts as 1, but as 0 if only a maximum is.
        """
        if not self.is_bounded:
            return None
        if self.min_replicas is not None:
            return self.min_replicas
        return 0 if self.max_replicas else 1


class Scheduling(Protocol):
    """A scenario's word on where replicas of a model may run, and how many."""

    @property
    def selector(self) -> Mapping[str, str]:
        """Labels that a node must have."""

    @property
    def conflicts(self) -> tuple[str, ...]:
        """Models that should not share a node with it."""

    @property
    def min_replicas(self) -> int | None:
        """None for no bound."""

    @property
    def max_replicas(self) -> int | None:
        """None for no bound."""

    @property
    def spread(self) -> bool:
        """Whether every matching node is to have one."""


class ModelSettings(Protocol):
    """A scenario's word on a model."""

    @property
    def name(self) -> str:
        """Its name."""

    @property
    def vram_bytes(self) -> int:
        """0 if unknown."""

    @property
    def disk_bytes(self) -> int:
        """0 if unknown."""

    @property
    def scheduling(self) -> Scheduling:
        """Where and how many."""


def model_configs(models: Iterable[ModelSettings]) -> dict[str, ModelConfig]:
    """Return what a frontend is to know of each model, by name, in their order."""
    return {model.name: _config(model) for model in models}


def _config(model: ModelSettings) -> ModelConfig:
    scheduling = model.scheduling
    return ModelConfig(
        name=model.name,
        vram_bytes=model.vram_bytes,
        disk_bytes=model.disk_bytes,
        selector=scheduling.selector,
        conflicts=scheduling.conflicts,
        min_replicas=scheduling.min_replicas,
        max_replicas=scheduling.max_replicas,
        spread=scheduling.spread,
    )
