"""Journals that are written once for all calls of the Journal, by the calls' names."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from inspect import signature
from typing import Any

from sim.routing.fleet import NodeStatus, ReplicaRow
from sim.routing.ports import Journal

JOURNAL_CALLS: tuple[str, ...] = tuple(name for name in vars(Journal) if not name.startswith("_"))
"""The names of the journal's methods, in their order."""


class JournalRelay(Journal, ABC):
    """Turns every call into one call of `_tell`."""

    @abstractmethod
    def _tell(self, what: str, *args: Any) -> None:
        """Take one call: the name of the journal's method, and its arguments in their order."""


def _relayed(call: str) -> Callable[..., None]:
    parameters = tuple(signature(getattr(Journal, call)).parameters)[1:]

    def tell(self: JournalRelay, *args: Any, **named: Any) -> None:
        self._tell(call, *args, *(named[parameter] for parameter in parameters[len(args) :]))

    return tell


for _call in JOURNAL_CALLS:
    setattr(JournalRelay, _call, _relayed(_call))


class FanOutJournal(Journal):
    """Tells each call to every listener that has a method for it, in the order of the listeners.

    A listener need not have all methods of the journal.
    """

    def __init__(self, listeners: Sequence[object], report: Callable[[Exception], None] | None = None) -> None:
        """`report` gets what a listener raises, with a note that names it, before that is raised to whoever tells.

        Those who tell may handle errors of their own, and take this one for such.
        """
        for call in JOURNAL_CALLS:
            hearers = [getattr(listener, call) for listener in listeners if hears(listener, call)]
            if hearers:
                # A call with one hearer goes to it directly.
                setattr(self, call, hearers[0] if len(hearers) == 1 else _told_in_order(hearers, report))


def hears(listener: object, call: str) -> bool:
    """Tell whether the listener has a method for the call that does more than ignore it."""
    method = getattr(listener, call, None)
    return callable(method) and getattr(method, "__func__", None) is not vars(Journal)[call]


def _told_in_order(
    hearers: Sequence[Callable[..., None]], report: Callable[[Exception], None] | None
) -> Callable[..., None]:
    def tell(*args: Any, **named: Any) -> None:
        for hear in hearers:
            try:
                hear(*args, **named)
            except Exception as error:
                error.add_note(f"raised by {getattr(hear, '__qualname__', hear)}, which was told of the run")
                if report is not None:
                    report(error)
                raise

    return tell


def tell_node_changed(
    journal: Journal, node: str, status: NodeStatus, cause: str, removed: Iterable[ReplicaRow]
) -> None:
    """Tell that the registry takes the node for something else, and has deleted these rows with that."""
    journal.node_changed(node, status, cause)
    for row in removed:
        journal.row_removed(row.key, row.address, cause, None)
