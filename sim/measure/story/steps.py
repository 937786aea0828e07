"""The steps of a story: what the journal of the run was told, as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sim.measure.story.decision import Decision

Fact = str | int | bool | None
NO_FACTS: Mapping[str, Fact] = {}


class Ahead(NamedTuple):
    """Another request that is in the way."""

    request: int
    is_served: bool
    """Whether it is being served, or holds the lock; else it waits."""


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    t_ns: int
    what: str
    """The call of the journal that tells it, as `picked`."""
    facts: Mapping[str, Fact] = field(default_factory=dict)
    """What the call says of it; replicas by their labels, times of an `_ns` in nanoseconds."""
    decision: Decision | None = None
    """Of a choice."""
    ahead: tuple[Ahead, ...] = ()
    """In order: of a route, the requests that are at the replica already; of a lock, those that had it meanwhile."""
    is_own: bool = True
    """False for what happened meanwhile and not for the sake of this request, such as the load of its model."""

    @property
    def document(self) -> dict[str, Any]:
        """The step for programs, in values that JSON has."""
        facts = {
            name.removesuffix("_ns") + "_s" if name.endswith("_ns") else name: _seconds(name, value)
            for name, value in self.facts.items()
        }
        more: dict[str, Any] = {} if self.is_own else {"meanwhile": True}
        if self.decision is not None:
            more["decision"] = self.decision.document
        if self.ahead:
            more["ahead"] = [{"request": one.request, "is_served": one.is_served} for one in self.ahead]
        return {"t_s": self.t_ns / 1e9, "what": self.what, **facts, **more}


def _seconds(name: str, value: Fact) -> Fact | float:
    return value / 1e9 if name.endswith("_ns") and isinstance(value, int) else value
