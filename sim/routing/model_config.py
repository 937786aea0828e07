"""What is known of a model before any replica of it runs: its needs, and how many replicas it is to have."""

from collections.abc import Mapping
from dataclasses import dataclass, field


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
