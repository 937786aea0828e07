"""The table of loads, with the same transactions as the rest of the registry."""

from uuid import uuid4

from sqlalchemy import delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from sim.live.registry.fleet_registry import SqlFleetRegistry
from sim.live.registry.tables import load_jobs
from sim.routing.fleet import LoadJob, LoadState

_jobs = load_jobs.c


class SqlLoadJobs(SqlFleetRegistry):
    """A registry that also keeps the loads that are under way."""

    async def load_job(self, model: str) -> LoadJob | None:
        """Read the model's row."""

        async def work(connection: AsyncConnection) -> LoadJob | None:
            found = (await connection.execute(select(load_jobs).where(_jobs.model == model))).first()
            if found is None:
                return None
            return LoadJob(found.id, found.model, LoadState(found.state), found.heartbeat, found.cause)

        return await self._transactions.run(work)

    async def start_load(self, model: str) -> LoadJob | None:
        """Write a pending row, unless there is one."""

        async def work(connection: AsyncConnection) -> LoadJob | None:
            job = LoadJob(str(uuid4()), model, LoadState.PENDING, self._runtime.wall_ns())
            insert = self._insert(load_jobs).values(
                model=model, id=job.id, state=job.state, heartbeat=job.heartbeat_ns, cause=job.cause
            )
            is_written = (await connection.execute(insert.on_conflict_do_nothing())).rowcount
            return job if is_written else None

        def undo(job: LoadJob | None) -> None:
            if job is not None:
                self._unattended(self.end_load(job.id), f"the load of {model}")

        return await self._transactions.run(work, undo)

    async def beat_load(self, job_id: str, state: LoadState, cause: str = "") -> bool:
        """Set the row's heartbeat to now, and its state."""

        async def work(connection: AsyncConnection) -> bool:
            values = {"state": state, "cause": cause, "heartbeat": self._runtime.wall_ns()}
            beaten = update(load_jobs).where(_jobs.id == job_id).values(values)
            return bool((await connection.execute(beaten)).rowcount)

        return await self._transactions.run(work)

    async def end_load(self, job_id: str) -> None:
        """Delete the row, if it still exists."""

        async def work(connection: AsyncConnection) -> None:
            await connection.execute(delete(load_jobs).where(_jobs.id == job_id))

        await self._transactions.run(work)
