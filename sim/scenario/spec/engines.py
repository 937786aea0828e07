"""The engines that a backend may name, and where each is found; the simulated world imports one when it is named."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Literal

ENGINES: Mapping[str, str] = {
    "fifo": "sim.simulated.engines.fifo:FifoEngine",
}
"""Module and class, by name. A new engine is its file and a line here."""

if TYPE_CHECKING:
    EngineName = str
else:
    EngineName = Literal[tuple(ENGINES)]

HealthName = Literal["serialized", "event_loop", "independent"]
"""How a process answers health calls while it serves requests."""
