"""What must hold in every run, whatever befalls it: an observer that keeps books of its own."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sim.observer import RunView
from sim.routing.fleet import NodeStatus
from sim.routing.journal import JournalRelay
from sim.routing.outcomes import Answer, Outcome, ProbeOutcome
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.scenario import Scenario
from sim.scenario.spec.faults.frontend import MixedPolicyFault

UNHEARD_NS = 10_000_000
"""A pick reads its row, holds it and is recorded when its transaction ends, which the node's status may overtake."""


class Ledger(JournalRelay):
    """Notes in `broken`, in words, what does not hold. Knows nothing of the recorder and its tables."""

    def __init__(self) -> None:
        self.broken: list[str] = []
        self._last_ns = 0
        self._under_way: dict[int, Request] = {}
        self._ended: dict[int, Outcome] = {}
        self._offline_since_ns: dict[str, int] = {}
        self._last_probe_end_ns: dict[tuple[int, str], int] = {}

    def begin(self, view: RunView) -> None:
        """Open the books."""
        self._clock = view.clock
        self._own_ways = _frontends_with_own_ways(view.plan.scenario)
        # A lost connection may have a status written whose writer told that it was not.
        self._trusts_status = all(fault.kind != "connection_lost" for fault in view.plan.scenario.faults)

    def finish(self, offered: int) -> list[str]:
        """Close the books of a run that was offered so many requests, and return what does not hold."""
        if len(self._ended) + len(self._under_way) != offered:
            self.broken.append("a request was lost, or one came from nowhere")
        return self.broken

    def _tell(self, what: str, *args: Any) -> None:
        now_ns = self._clock.now_ns()
        if now_ns < self._last_ns:
            self.broken.append(f"{what} was told at {now_ns} ns, after something at {self._last_ns} ns")
        self._last_ns = now_ns
        check = _CHECKS.get(what)
        if check is not None:
            self.broken.extend(check(self, now_ns, *args))

    def _arrived(self, now_ns: int, request: Request) -> Iterable[str]:
        if request.id in self._under_way or request.id in self._ended:
            yield f"request {request.id} arrived twice"
        if request.arrival_ns != now_ns:
            yield f"request {request.id} arrived at another time than its own"
        self._under_way[request.id] = request

    def _ended_for_its_client(self, now_ns: int, request: Request, outcome: Outcome, _cause: str) -> Iterable[str]:
        if request.id in self._ended:
            yield f"request {request.id} ended twice"
        elif self._under_way.pop(request.id, None) is None:
            yield f"request {request.id} ended without having arrived"
        if now_ns < request.arrival_ns:
            yield f"request {request.id} ended before it arrived"
        self._ended[request.id] = outcome

    def _picked(self, now_ns: int, _request: Request, replica: Replica, _remembered: Answer | None) -> Iterable[str]:
        node = replica.key.node
        since_ns = self._offline_since_ns.get(node)
        if self._trusts_status and since_ns is not None and since_ns + UNHEARD_NS < now_ns:
            yield f"{node} was picked at {now_ns} ns while it was offline"

    def _probed(
        self,
        now_ns: int,
        request: Request | None,
        _key: ReplicaKey,
        address: str,
        started_ns: int,
        _outcome: ProbeOutcome,
    ) -> Iterable[str]:
        if request is None or request.frontend in self._own_ways:
            return
        last_end_ns = self._last_probe_end_ns.get((request.frontend, address), started_ns)
        if started_ns < last_end_ns:
            yield f"frontend {request.frontend} had two probes of {address} under way at once"
        self._last_probe_end_ns[request.frontend, address] = now_ns

    def _node_changed(self, now_ns: int, node: str, status: NodeStatus, _cause: str) -> Iterable[str]:
        if status is NodeStatus.OFFLINE:
            self._offline_since_ns.setdefault(node, now_ns)
        else:
            self._offline_since_ns.pop(node, None)
        return ()


_CHECKS: Mapping[str, Callable[..., Iterable[str]]] = {
    "arrived": Ledger._arrived,
    "ended": Ledger._ended_for_its_client,
    "picked": Ledger._picked,
    "probed": Ledger._probed,
    "node_changed": Ledger._node_changed,
}


def _frontends_with_own_ways(scenario: Scenario) -> list[int]:
    """Return the frontends that may share no probes."""
    return [fault.frontend for fault in scenario.faults if isinstance(fault, MixedPolicyFault)]
