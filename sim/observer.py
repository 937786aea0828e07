"""Observers: whoever is told every decision and event of a run, while it happens."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import lru_cache

from sim.routing.journal import JOURNAL_CALLS, FanOutJournal, hears
from sim.routing.ports import Clock, Journal
from sim.scenario import Plan

_ALLOWED = ("begin", *JOURNAL_CALLS)


@dataclass(frozen=True, slots=True)
class RunView:
    """What an observer may read of a run. All of it is the world's own truth, not a frontend's belief."""

    clock: Clock
    """`clock.now_ns()` is the time since the start of the run."""
    is_alive: Callable[[str], bool]
    """Tells whether a backend process runs at an address now."""
    plan: Plan
    """Every request to come, with the `scenario` and the `seed` that it was made from."""


class Observer(Journal):
    """A base for observers: it has every call of the journal, and ignores them all. Override what you want to hear.

    An observer is told of a call before the run goes on. It must change nothing that it is shown. An exception that
    it raises stops the run, and `run` raises it.

        class CountPicks(Observer):
            def __init__(self):
                self.picks = 0
            def picked(self, request, replica, remembered):
                self.picks += 1
    """

    def begin(self, view: RunView) -> None:
        """Get to know the run, before anything has happened in it."""


def begin(observers: Sequence[object], view: RunView, report: Callable[[Exception], None]) -> Journal:
    """Start the observers, in order, and return the journal that tells all of them.

    `report` gets what one of several observers raises. Raises TypeError for an object that is no observer.
    """
    for observer in observers:
        _check(observer)
    for observer in observers:
        if hasattr(observer, "begin"):
            observer.begin(view)
    listeners = [observer for observer in observers if _hears_anything(observer)]
    if len(listeners) == 1 and isinstance(listeners[0], Journal):
        return listeners[0]
    return FanOutJournal(listeners, report)


def _check(observer: object) -> None:
    if isinstance(observer, type):
        raise TypeError(f"found the class {observer.__name__} as an observer; allowed: an instance of it")
    name = type(observer).__name__
    for method, meant in _slips(tuple(_public_methods(observer))):
        raise TypeError(f"{name}.{method} is no call of an observer; did you mean '{meant}'?")
    if not hasattr(observer, "begin") and not _hears_anything(observer):
        raise TypeError(f"{name} has no method of an observer; allowed: {', '.join(_ALLOWED)}")


def _hears_anything(observer: object) -> bool:
    return any(hears(observer, call) for call in JOURNAL_CALLS)


def _public_methods(observer: object) -> Iterable[str]:
    return (
        name
        for kind in type(observer).__mro__
        for name, member in vars(kind).items()
        if callable(member) and not name.startswith("_")
    )


@lru_cache
def _slips(methods: tuple[str, ...]) -> Sequence[tuple[str, str]]:
    """Return each method whose name is nearly that of a call, and the call.

    An observer may have other methods, so only a name that is very near is taken for a slip of the pen.
    """
    near = ((name, get_close_matches(name, _ALLOWED, n=1, cutoff=0.8)) for name in methods if name not in _ALLOWED)
    return [(name, matches[0]) for name, matches in near if matches]
