"""A clock for tests of what depends on time alone."""

from dataclasses import dataclass


@dataclass
class HandClock:
    """A clock that is set by hand."""

    t_ns: int = 0

    def now_ns(self) -> int:
        return self.t_ns

    def wall_ns(self) -> int:
        return self.t_ns
