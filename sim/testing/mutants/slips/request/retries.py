"""Slips in what becomes of a failed call, and of one that takes too long."""

from collections.abc import Collection, Sequence

from sim.routing.outcomes import Outcome
from sim.routing.policies.choose import AnyReplica
from sim.routing.ports import Backend
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.call_limit import LimitedDialer
from sim.routing.request_path.retries import (
    FAILURE_TENTHS,
    FULL_TENTHS,
    MOST_CALLS,
    SUCCESS_TENTHS,
    Retries,
    ThrottledRetries,
    _Untried,
)
from sim.testing.mutants.mutant import Mutant, in_place_of

_RETRIES = "sim.routing.request_path.retries"


@in_place_of(f"{_RETRIES}:_Untried.__call__", "no_retry_after_death")
def retry_may_meet_the_same_replica(self: _Untried, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
    """The policy is shown the replicas again that have failed the request."""
    return self._choose(replicas)


@in_place_of(f"{_RETRIES}:Retries.grant", "no_retry_after_death")
def failed_call_is_never_made_again(self: Retries, request: Request, failed: ReplicaKey) -> bool:
    """No retry is granted."""
    return False


@in_place_of(f"{_RETRIES}:Retries.grant", "retries_multiply_load")
def retry_is_granted_when_it_is_the_last_call(self: Retries, request: Request, failed: ReplicaKey) -> bool:
    """A request is sent once only, unless it has been sent as often as it may: the test is the wrong way round."""
    self._tried[request.id] = (*self.tried(request), failed)
    return len(self._tried[request.id]) >= MOST_CALLS


@in_place_of(f"{_RETRIES}:ThrottledRetries.grant", "retries_multiply_load")
def throttle_takes_no_token(self: ThrottledRetries, request: Request, failed: ReplicaKey) -> bool:
    """A failed call takes nothing from the bucket of the throttle."""
    return Retries.grant(self, request, failed)


@in_place_of(f"{_RETRIES}:ThrottledRetries.ended", "retries_multiply_load")
def throttle_is_full_after_one_success(self: ThrottledRetries, request: Request, outcome: Outcome, cause: str) -> None:
    """A completed request fills the bucket of the throttle."""
    self._tenths = FULL_TENTHS


@in_place_of("sim.routing.request_path.call_limit:LimitedDialer.dial", "retries_multiply_load")
def call_has_no_limit(self: LimitedDialer, key: ReplicaKey, address: str) -> Backend:
    """A call may take as long as it likes."""
    return self._dialer.dial(key, address)


request_is_sent_once_too_often = Mutant(
    "request_is_sent_once_too_often",
    f"{_RETRIES}:MOST_CALLS",
    "A request is sent four times: its first call is not counted.",
    MOST_CALLS + 1,
    ("retries_by_hand",),
)

success_gives_a_whole_token = Mutant(
    "success_gives_a_whole_token",
    f"{_RETRIES}:SUCCESS_TENTHS",
    "A completed request gives as much to the bucket of the throttle as a failed call takes.",
    FAILURE_TENTHS,
    ("retries_by_hand",),
)


@in_place_of(f"{_RETRIES}:ThrottledRetries.grant", "retries_by_hand")
def half_a_bucket_is_enough(self: ThrottledRetries, request: Request, failed: ReplicaKey) -> bool:
    """The throttle grants a retry when exactly half of its tokens are left: `>=` for `>`."""
    self._tenths = max(0, self._tenths - FAILURE_TENTHS)
    return 2 * self._tenths >= FULL_TENTHS and Retries.grant(self, request, failed)


@in_place_of(f"{_RETRIES}:ThrottledRetries.ended", "retries_by_hand")
def failure_fills_the_bucket(self: ThrottledRetries, request: Request, outcome: Outcome, cause: str) -> None:
    """Every request that ends gives something back, whether it was completed or not."""
    self._tenths = min(FULL_TENTHS, self._tenths + SUCCESS_TENTHS)


@in_place_of(f"{_RETRIES}:ThrottledRetries.ended", "retries_by_hand")
def bucket_is_never_filled(self: ThrottledRetries, request: Request, outcome: Outcome, cause: str) -> None:
    """Completed requests give nothing back to the bucket of the throttle."""


@in_place_of(f"{_RETRIES}:_Untried.__call__", "retries_by_hand")
def retry_finds_nobody(self: _Untried, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
    """The policy is shown nobody when all replicas have failed the request."""
    return self._choose([replica for replica in replicas if replica.key not in self._tried])


@in_place_of(f"{_RETRIES}:Retries.tried", "elsewhere_by_hand")
def only_the_last_failure_is_avoided(self: Retries, request: Request) -> Collection[ReplicaKey]:
    """A third call may meet the replica of the first one again."""
    return self._tried.get(request.id, ())[-1:]


@in_place_of(f"{_RETRIES}:Retries.tried", "elsewhere_by_hand")
def failures_of_others_are_avoided(self: Retries, request: Request) -> Collection[ReplicaKey]:
    """A retry avoids the replicas that failed other requests too: the request is not in the key."""
    return [key for tried in self._tried.values() for key in tried]


@in_place_of(f"{_RETRIES}:ThrottledRetries.grant", "retries_by_hand")
def bucket_is_overdrawn(self: ThrottledRetries, request: Request, failed: ReplicaKey) -> bool:
    """The bucket of the throttle falls below 0, so that it takes the longer to be filled: `max` is missing."""
    self._tenths -= FAILURE_TENTHS
    return 2 * self._tenths > FULL_TENTHS and Retries.grant(self, request, failed)


@in_place_of(f"{_RETRIES}:ThrottledRetries.ended", "retries_by_hand")
def bucket_overflows(self: ThrottledRetries, request: Request, outcome: Outcome, cause: str) -> None:
    """The bucket of the throttle has no bound: `min` is missing."""
    if outcome is Outcome.COMPLETED:
        self._tenths += SUCCESS_TENTHS
