"""Picks of one instant that do not all begin together, as on a real database.

Each has a connection and a database process of its own. One that gets its turn late begins when the first of them has
committed: it sees that one's count, and takes another replica than the rest.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sim.routing.proxy import MadeCall
from sim.simulated.kernel.awaitables import SimFuture
from sim.simulated.kernel.runtime import SimulatedRuntime

SMALLEST_PART = 1 / 32
"""The least that is supposed of a crowd unlike any that was measured."""


class LatePicks:
    """Lets some of the picks that meet another one begin when that one has ended."""

    def __init__(self, runtime: SimulatedRuntime, generator: np.random.Generator, measured: Sequence[float]) -> None:
        """`measured` has the late part of each crowd that was measured.

        Each crowd here takes the late part of one measured crowd, or a new one; all of these are equally likely
        (Laplace's rule of succession), since there may be late parts that were never measured. The logarithm of a new
        one is uniform, from SMALLEST_PART to 1.
        """
        self._runtime = runtime
        self._generator = generator
        self._measured = measured
        self._first_over: SimFuture | None = None
        """When the first pick of a crowd ends; None if nobody picks."""
        self._late_part = 0.0

    async def pick(self, call: MadeCall) -> Any:
        """Make the call, at once or late."""
        if self._first_over is None:
            return await self._pick_first(call)
        if self._generator.random() < self._late_part:
            await self._first_over
        return await call()

    async def _pick_first(self, call: MadeCall) -> Any:
        self._first_over = over = self._runtime.future()
        self._late_part = self._draw_late_part()
        try:
            return await call()
        finally:
            self._first_over = None
            over.set_result(None)

    def _draw_late_part(self) -> float:
        number = int(self._generator.integers(len(self._measured) + 1))
        if number < len(self._measured):
            return self._measured[number]
        return float(SMALLEST_PART ** self._generator.random())
