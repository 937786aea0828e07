"""Cold loads that outlive the request that began them: rows in the registry, one per model."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from sim.routing.fleet import FleetRegistry


class LoadState(StrEnum):
    """How far a load has come."""

    PENDING = "pending"
    INSTALLING = "installing"
    STAGING = "staging"
    LOADING = "loading"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class LoadJob:
    """One load under way, or one that has failed a moment ago."""

    id: str
    model: str
    state: LoadState
    heartbeat_ns: int
    """Wall time at which its owner last said that it lives."""
    cause: str = ""
    """Why it failed."""


class LoadJobs(FleetRegistry, Protocol):
    """A registry that also keeps the loads under way. A model has one row at most."""

    async def load_job(self, model: str) -> LoadJob | None:
        """Read the model's row."""

    async def start_load(self, model: str) -> LoadJob | None:
        """Write a pending row with a heartbeat of now; None if there is one already."""

    async def beat_load(self, job_id: str, state: LoadState, cause: str = "") -> bool:
        """Set the row's heartbeat to now, and its state; False if it has gone."""

    async def end_load(self, job_id: str) -> None:
        """Delete the row, if it is there still."""
