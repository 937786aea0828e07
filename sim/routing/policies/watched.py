"""A policy whose choices are told to a journal, each with the rows that it was made from."""

from collections.abc import Collection, Sequence

from sim.routing.policies.choose import AnyReplica, Choose, Chooser
from sim.routing.ports import Journal
from sim.routing.request import Request


class WatchedChooser:
    """Decides as the policy does, which is asked request by request even where it asks the same for all of them."""

    anywhere: Choose | None = None

    def __init__(self, chooser: Chooser, journal: Journal) -> None:
        self.listener = chooser.listener
        self.pressure = chooser.pressure
        self._chooser = chooser
        self._journal = journal

    def choice(self, request: Request, nodes: Collection[str]) -> "WatchedChoice":
        """Return what this request asks of the registry, among the rows on these nodes; on any node if empty."""
        return WatchedChoice(self._chooser.choice(request, nodes), request, self._journal)


class WatchedChoice:
    """One pick's decision, told each time that the registry asks for it."""

    __slots__ = ("_choose", "_journal", "_request", "nodes")

    order: str | None = None
    """None, because a registry that sorts the rows itself does not show them."""

    def __init__(self, choose: Choose, request: Request, journal: Journal) -> None:
        self.nodes = choose.nodes
        self._choose = choose
        self._request = request
        self._journal = journal

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        """Return the row to take, if there is any."""
        chosen = self._choose(replicas)
        self._journal.chose(self._request, replicas, chosen)
        return chosen
