"""The table of loads, with the same transactions as the rest of the registry."""

from dataclasses import replace

from sim.routing.fleet import LoadJob, LoadState
from sim.simulated.registry.fleet_registry import SimulatedFleetRegistry


class SimulatedLoadJobs(SimulatedFleetRegistry):
    """A registry that also keeps the loads that are under way."""

    async def load_job(self, model: str) -> LoadJob | None:
        """Read the model's row."""
        await self._transaction()
        return self._database.jobs.get(model)

    async def start_load(self, model: str) -> LoadJob | None:
        """Write a pending row, unless there is one."""
        await self._transaction()
        if model in self._database.jobs:
            return None
        job = LoadJob(self._database.next_job_id(), model, LoadState.PENDING, self._clock.wall_ns())
        self._database.jobs[model] = job
        return job

    async def beat_load(self, job_id: str, state: LoadState, cause: str = "") -> bool:
        """Set the row's heartbeat to now, and its state."""
        await self._transaction()
        job = self._database.job(job_id)
        if job is None:
            return False
        self._database.jobs[job.model] = replace(job, state=state, cause=cause, heartbeat_ns=self._clock.wall_ns())
        return True

    async def end_load(self, job_id: str) -> None:
        """Delete the row, if it still exists."""
        await self._transaction()
        job = self._database.job(job_id)
        if job is not None:
            del self._database.jobs[job.model]
