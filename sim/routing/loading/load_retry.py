"""When a model whose load has failed may be loaded again."""

from dataclasses import dataclass
from typing import Protocol

from sim.routing.errors import CallError, LoadFailed
from sim.routing.ports import Clock
from sim.routing.units import NS_PER_S

FIRST_PAUSE_NS = 10 * NS_PER_S
LONGEST_PAUSE_NS = 5 * 60 * NS_PER_S


class LoadRetry(Protocol):
    """Decides whether a load may start; one frontend's memory of its loads that failed."""

    def require_turn(self, model: str) -> None:
        """Raise LoadFailed as long as the model is not to be tried again."""

    def failed(self, model: str, error: CallError) -> None:
        """Hear that a load of the model has failed now."""

    def loaded(self, model: str) -> None:
        """Hear that a load of the model has succeeded."""


class RetryAtOnce:
    """Lets every request try again. LocalAI's way with many nodes."""

    def require_turn(self, model: str) -> None:
        """Let the load start."""

    def failed(self, model: str, error: CallError) -> None:
        """Remember nothing."""

    def loaded(self, model: str) -> None:
        """Remember nothing."""


RETRY_AT_ONCE = RetryAtOnce()


@dataclass(frozen=True, slots=True)
class _Pause:
    length_ns: int
    until_ns: int
    cause: str


class RetryWithBackoff:
    """Waits 10 s after a first failure, then twice as long each time, up to 5 minutes; a success ends that.

    LocalAI does so on a single host (pull request 10728), where the load is its own.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._pauses: dict[str, _Pause] = {}

    def require_turn(self, model: str) -> None:
        """Raise LoadFailed with the cause of the last failure, before the pause after it is over."""
        pause = self._pauses.get(model)
        if pause is not None and self._clock.now_ns() < pause.until_ns:
            raise LoadFailed(f"{model} is not tried again yet: {pause.cause}")

    def failed(self, model: str, error: CallError) -> None:
        """Begin a pause, twice as long as the one before."""
        before = self._pauses.get(model)
        length_ns = FIRST_PAUSE_NS if before is None else min(2 * before.length_ns, LONGEST_PAUSE_NS)
        self._pauses[model] = _Pause(length_ns, self._clock.now_ns() + length_ns, f"{type(error).__name__}: {error}")

    def loaded(self, model: str) -> None:
        """Forget the failures."""
        self._pauses.pop(model, None)
