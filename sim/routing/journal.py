"""Journals between the routing code and another journal: whatever is told passes through one place."""

from abc import ABC, abstractmethod
from typing import Any

from sim.routing.outcomes import Answer, Outcome, ProbeOutcome
from sim.routing.ports import Journal
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.routing.states import NodeStatus


class JournalRelay(ABC):
    """A Journal all of whose calls come down to one."""

    def arrived(self, request: Request) -> None:
        """Pass it on."""
        self._tell("arrived", request)

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """Pass it on."""
        self._tell("picked", request, replica, remembered)

    def vouched(self, request: Request, answer: Answer) -> None:
        """Pass it on."""
        self._tell("vouched", request, answer)

    def probed(self, request: Request, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        """Pass it on."""
        self._tell("probed", request, key, address, started_ns, outcome)

    def routed(self, request: Request, key: ReplicaKey) -> None:
        """Pass it on."""
        self._tell("routed", request, key)

    def served_from(self, request: Request) -> None:
        """Pass it on."""
        self._tell("served_from", request)

    def first_token(self, request: Request) -> None:
        """Pass it on."""
        self._tell("first_token", request)

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """Pass it on."""
        self._tell("ended", request, outcome, cause)

    def row_published(self, key: ReplicaKey, cause: str) -> None:
        """Pass it on."""
        self._tell("row_published", key, cause)

    def row_removed(self, key: ReplicaKey, address: str, cause: str, request: Request | None) -> None:
        """Pass it on."""
        self._tell("row_removed", key, address, cause, request)

    def install_started(self, key: ReplicaKey, redundant: bool) -> None:
        """Pass it on."""
        self._tell("install_started", key, redundant)

    def load_started(self, key: ReplicaKey, redundant: bool) -> None:
        """Pass it on."""
        self._tell("load_started", key, redundant)

    def load_ended(self, key: ReplicaKey, failure: str) -> None:
        """Pass it on."""
        self._tell("load_ended", key, failure)

    def lock_waited(self, wait_ns: int) -> None:
        """Pass it on."""
        self._tell("lock_waited", wait_ns)

    def process_ended(self, key: ReplicaKey, address: str, cause: str) -> None:
        """Pass it on."""
        self._tell("process_ended", key, address, cause)

    def node_changed(self, node: str, status: NodeStatus, cause: str) -> None:
        """Pass it on."""
        self._tell("node_changed", node, status, cause)

    def scaled(self, model: str, replicas: int, cause: str) -> None:
        """Pass it on."""
        self._tell("scaled", model, replicas, cause)

    def fault_struck(self, kind: str, place: str) -> None:
        """Pass it on."""
        self._tell("fault_struck", kind, place)

    @abstractmethod
    def _tell(self, what: str, *args: Any) -> None:
        """Hear one call: the name of the journal's method, and what it was called with."""


class ForwardingJournal(JournalRelay):
    """Tells another journal everything; a subclass listens to the calls that it overrides."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def _tell(self, what: str, *args: Any) -> None:
        getattr(self._journal, what)(*args)
