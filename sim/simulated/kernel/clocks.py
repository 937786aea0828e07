"""A runtime whose wall clock is a frontend's own."""

from sim.routing.ports import Clock, Runtime
from sim.simulated.kernel.interposed_runtime import InterposedRuntime


class SkewedRuntime(InterposedRuntime):
    """The run's tasks and monotonic time, with another clock's wall time."""

    def __init__(self, runtime: Runtime, clock: Clock) -> None:
        super().__init__(runtime)
        self.wall_ns = clock.wall_ns
