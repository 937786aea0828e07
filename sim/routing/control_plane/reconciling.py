"""How the reconciler's two passes follow one another: the numbers first, then the rows."""

from collections.abc import Callable
from contextlib import suppress

from sim.routing.control_plane.ticker import Pass
from sim.routing.errors import DeadlineExceeded
from sim.routing.ports import Runtime
from sim.routing.request_path.singleflight import DetachedFlight

Reconciling = Callable[[Runtime, int, Pass, Pass], Pass]
"""Given a limit in ns, the replica pass and the state pass, returns what each tick runs."""


def after_loads(_runtime: Runtime, _limit_ns: int, replica_pass: Pass, state_pass: Pass) -> Pass:
    """Make the state pass when the replica pass has ended, however long its loads take. LocalAI's way.

    A worker that does not answer may take 15 minutes over an install, during which no row is compared with its process:
    the other frontends wait for the lock of the replica pass.
    """

    async def run_pass() -> None:
        await replica_pass()
        await state_pass()

    return run_pass


def in_time(runtime: Runtime, limit_ns: int, replica_pass: Pass, state_pass: Pass) -> Pass:
    """Wait for the replica pass up to the limit; a longer one goes on, and later ticks wait for its rest. Repaired."""
    flight = DetachedFlight(runtime)

    async def run_pass() -> None:
        with suppress(DeadlineExceeded):
            await runtime.within(limit_ns, flight.do("replica pass", replica_pass))
        await state_pass()

    return run_pass
