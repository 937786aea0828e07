"""Faults of family clock."""

from collections.abc import Callable, Mapping
from typing import Any

from sim.simulated.faults.base import Fault, Luck

FAULTS: Mapping[type[Any], Callable[[Any, Luck], Fault]] = {}
