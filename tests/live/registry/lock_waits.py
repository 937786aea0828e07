"""Waiting until others wait: for transactions on PostgreSQL that stand at a lock."""

import asyncio

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from tests.waiting import in_time

WAITING = text("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'")


async def until_waiting(engine: AsyncEngine, transactions: int) -> None:
    """Return once so many transactions of the database wait for a lock."""
    await in_time(f"{transactions} transactions to wait", _until_waiting(engine, transactions))


async def _until_waiting(engine: AsyncEngine, transactions: int) -> None:
    async with engine.connect() as connection:
        while (await connection.execute(WAITING)).scalar_one() != transactions:
            # Within a transaction, the statistics would be those of its beginning.
            await connection.rollback()
            await asyncio.sleep(0.01)
