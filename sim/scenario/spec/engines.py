"""The names of the engines that a backend may have, and where each is found. The simulated world imports it by need."""

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
