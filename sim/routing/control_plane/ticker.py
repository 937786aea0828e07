"""When a frontend's background passes come, and which of the frontends makes one."""

from collections.abc import Awaitable, Callable

from sim.routing.errors import CallError
from sim.routing.ports import Runtime
from sim.routing.registry import Registry

Pass = Callable[[], Awaitable[None]]
"""Makes one pass."""

PassRule = Callable[[Registry, str, int, Pass], Pass]
"""Given a pass, its name and an interval in ns, returns what each tick runs in its place."""


async def tick_for_ever(runtime: Runtime, tick_ns: int, first_ns: int, run_pass: Pass) -> None:
    """Make a pass `first_ns` after the start, then at whole multiples of `tick_ns` from there.

    Ticks during a pass are dropped: the next pass waits for the first tick after it, or starts at once if a tick is due
    at the very instant at which the pass ends.
    """
    due_ns = runtime.now_ns() + first_ns
    while True:
        await runtime.sleep(max(0, due_ns - runtime.now_ns()))
        await run_pass()
        ticks_begun = -((due_ns - runtime.now_ns()) // tick_ns)  # rounded up
        due_ns += max(1, ticks_begun) * tick_ns


def every_frontend(_registry: Registry, _name: str, _interval_ns: int, run_pass: Pass) -> Pass:
    """Make every pass, whatever other frontends do: F frontends make up to F passes in an interval. LocalAI's rule."""
    return run_pass


def once_per_tick(registry: Registry, name: str, interval_ns: int, run_pass: Pass) -> Pass:
    """Make a pass only if no frontend has started one less than the interval ago; none if the registry does not answer.

    The interval is measured by the wall clocks of the callers. Repaired.
    """

    async def run_if_first() -> None:
        try:
            is_first = await registry.claim_pass(name, interval_ns)
        except CallError:
            return
        if is_first:
            await run_pass()

    return run_if_first
