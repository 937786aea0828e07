"""Slips in what is remembered of a load that has failed: its pause, and the job that tells of it."""

from sim.routing.errors import CallError
from sim.routing.fleet import LoadJob
from sim.routing.loading.cold_load import WarmPath
from sim.routing.loading.job_load import JobLoad
from sim.routing.loading.load_owner import LoadOwner
from sim.routing.loading.load_retry import FIRST_PAUSE_NS, RetryWithBackoff, _Pause
from sim.routing.request import Request
from sim.routing.request_path.route import Route
from sim.testing.mutants.mutant import Mutant, in_place_of

_RETRY = "sim.routing.loading.load_retry"


@in_place_of(f"{_RETRY}:RetryWithBackoff.failed", "backoff_by_hand")
def pause_does_not_grow(self: RetryWithBackoff, model: str, error: CallError) -> None:
    """Every failed load pauses its model for as long as the first one."""
    self._pauses[model] = _Pause(FIRST_PAUSE_NS, self._clock.now_ns() + FIRST_PAUSE_NS, str(error))


pause_grows_without_bound = Mutant(
    "pause_grows_without_bound",
    f"{_RETRY}:LONGEST_PAUSE_NS",
    "The pause after a failed load doubles each time, with no longest one.",
    1 << 62,
    ("backoff_by_hand",),
)


@in_place_of(f"{_RETRY}:RetryWithBackoff.loaded", "backoff_by_hand")
def success_forgets_no_failure(self: RetryWithBackoff, model: str) -> None:
    """The next failure after a load that succeeded pauses the model as if there had been no success."""


failed_job_looks_like_a_load = Mutant(
    "failed_job_looks_like_a_load",
    "sim.routing.loading.job_load:_raise_if_failed",
    "Who finds a job that has failed waits for it like for one that is under way.",
    lambda _job: None,
    ("backoff_by_hand",),
)


@in_place_of("sim.routing.loading.job_load:JobLoad._begin", "backoff_by_hand")
async def refused_job_stays(self: JobLoad, request: Request, job: LoadJob, warm_path: WarmPath) -> Route | None:
    """A job that was claimed within the pause of its model keeps its row, and others wait for it."""
    route = await warm_path(request)
    if route is None:
        self._load_path.retry.require_turn(request.model)
    owned = LoadOwner(self._ports, self._load_path, self._broadcast, job)
    self._ports.runtime.spawn(owned.run() if route is None else owned.end(), "load job")
    return route
