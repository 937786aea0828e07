"""Cold loads that outlive the request that began them: rows in the registry, one per model."""

from dataclasses import dataclass
from enum import StrEnum


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
