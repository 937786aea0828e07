"""Opens a frontend's registry, and closes it in good order."""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager

from sim.live.registry.database import SqlDatabase, open_database
from sim.live.registry.load_jobs import SqlLoadJobs
from sim.live.registry.picks import SqlPick, SqlPickMode, ignore_wait, pick_mode
from sim.live.registry.transactions import DATABASE_ERRORS, LiveRuntime
from sim.routing.errors import Unavailable
from sim.routing.registry import LockWaited


@asynccontextmanager
async def connect(
    url: str,
    runtime: LiveRuntime,
    *,
    pick: str = "read_committed",
    connections: int | None = None,
    lock_waited: LockWaited = ignore_wait,
    new_pick: Callable[[], SqlPickMode] = SqlPick,
) -> AsyncIterator[SqlLoadJobs]:
    """Open one frontend's registry. On leaving, running transactions are finished and connections are closed.

    `url` and `connections` are those of `open_database`, `pick` is a scenario's word. `lock_waited` is told the ns
    waited for locks by name and for a model's lock; the wait for a row is part of its statement and cannot be told.
    Raises BadRegistryUrl for a URL of no use, and Unavailable if there is no such database or it does not answer.
    """
    async with _reached(url, connections) as database:
        registry = SqlLoadJobs(database, runtime, pick_mode(pick, database.dialect, lock_waited, new_pick), lock_waited)
        try:
            yield registry
        finally:
            await registry.drain()


@asynccontextmanager
async def _reached(url: str, connections: int | None) -> AsyncIterator[SqlDatabase]:
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(open_database(url, connections))
        except DATABASE_ERRORS as error:
            reason = str(error).partition("\n")[0] or type(error).__name__
            raise Unavailable(f"the registry cannot be opened: {reason}") from error
        yield database
