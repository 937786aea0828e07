"""Slips in when a load has failed, and in what is remembered of it: its limit, its pause, the job that tells of it."""

from sim.routing.errors import CallError
from sim.routing.fleet import LoadJob
from sim.routing.loading.cold_load import WarmPath
from sim.routing.loading.job_load import JobLoad
from sim.routing.loading.load_limits import LoadLimit, leave_alone, limit_by_size_ns
from sim.routing.loading.load_owner import LoadOwner
from sim.routing.loading.load_retry import FIRST_PAUSE_NS, RetryWithBackoff, _Pause
from sim.routing.request import Request
from sim.routing.request_path.route import Route
from sim.routing.strategies import LOAD_LIMITS
from sim.routing.units import NS_PER_S
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


orphan_is_found_at_the_very_end = Mutant(
    "orphan_is_found_at_the_very_end",
    "sim.routing.loading.job_load:ORPHAN_NS",
    "A load counts as given up when its heartbeat is just a minute old: `<` for `<=`.",
    60 * NS_PER_S - 1,
    ("orphan_by_hand",),
)

heartbeats_are_rare = Mutant(
    "heartbeats_are_rare",
    "sim.routing.loading.load_owner:HEARTBEAT_NS",
    "The owner of a load sends a heartbeat every 45 s, where it should every second.",
    45 * NS_PER_S,
    ("orphan_by_hand",),
)

install_may_take_seconds_only = Mutant(
    "install_may_take_seconds_only",
    "sim.routing.loading.installs:INSTALL_LIMIT_NS",
    "An install is given up after 15 seconds: seconds for minutes.",
    15 * NS_PER_S,
    ("limits_by_hand",),
)

large_model_gets_too_little_time = Mutant(
    "large_model_gets_too_little_time",
    "sim.routing.loading.load_limits:PER_GIB_NS",
    "A load may take 2 s more for each GiB, where it should 20 s.",
    2 * NS_PER_S,
    ("limits_by_hand",),
)

late_process_goes_on = Mutant(
    "late_process_goes_on",
    "sim.routing.frontend:LOAD_LIMITS",
    "A process that takes too long to load its model is not stopped.",
    {**LOAD_LIMITS, "by_size": LoadLimit(limit_by_size_ns, leave_alone)},
    ("limits_by_hand",),
)
