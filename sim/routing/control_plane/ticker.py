"""When a frontend's background passes come, and which of the frontends makes one."""

from collections.abc import Awaitable, Callable

from sim.routing.errors import CallError
from sim.routing.ports import Runtime
from sim.routing.registry import Registry

Pass = Callable[[], Awaitable[None]]
"""Looks over the fleet once."""

PassRule = Callable[[Registry, str, int, Pass], Pass]
"""Given the name of the pass and the interval between ticks in ns, says what a tick leads to."""


async def tick_for_ever(runtime: Runtime, tick_ns: int, first_ns: int, run_pass: Pass) -> None:
    """Make a pass `first_ns` after the start, then at whole multiples of `tick_ns` from there.

    Ticks that fall into a pass are dropped: the next pass waits for the first tick after it, or comes at once if one is
    due at the very instant at which the pass ends.
    """
    due_ns = runtime.now_ns() + first_ns
    while True:
        await runtime.sleep(max(0, due_ns - runtime.now_ns()))
        await run_pass()
        ticks_begun = -((due_ns - runtime.now_ns()) // tick_ns)  # rounded up
        due_ns += max(1, ticks_begun) * tick_ns


def every_frontend(_registry: Registry, _name: str, _interval_ns: int, run_pass: Pass) -> Pass:
    """Make every pass, whatever the other frontends do: with F of them an interval sees up to F passes. LocalAI's."""
    return run_pass


def once_per_tick(registry: Registry, name: str, interval_ns: int, run_pass: Pass) -> Pass:
    """Make a pass only if no frontend has begun one less than the interval ago; none if the registry cannot tell.

    The interval is measured on the wall clocks of those who ask. Repaired.
    """

    async def run_if_first() -> None:
        try:
            is_first = await registry.claim_pass(name, interval_ns)
        except CallError:
            return
        if is_first:
            await run_pass()

    return run_if_first
