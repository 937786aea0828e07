"""The observer that writes down the story of a replica's rows."""

from sim.measure.facts import RunFacts
from sim.measure.story.queues import Queues
from sim.measure.story.row_story import RowLife, RowStory
from sim.measure.story.steps import Fact, Step
from sim.observer import Observer, RunView
from sim.routing.fleet import NodeStatus
from sim.routing.outcomes import Answer, ProbeOutcome
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request


class RowWitness(Observer):
    """Notes what happens to the rows of one replica.

    It has to stand before `queues` among the observers, so that it sees them as they were before each event.
    """

    _view: RunView
    _facts: RunFacts

    def __init__(self, replica: str, queues: Queues) -> None:
        self._wanted = replica
        self._queues = queues
        self._key: ReplicaKey | None = None
        """The replica's, once it has a row."""
        self._lives: list[RowLife] = []

    def story(self, run: str) -> RowStory:
        """Return the story, once the run is over. `run` names the run."""
        return RowStory(run, self._wanted, tuple(self._lives))

    def begin(self, view: RunView) -> None:
        self._view, self._facts = view, RunFacts.of(view.plan.scenario)

    def row_published(self, key: ReplicaKey, cause: str) -> None:
        if self._is_wanted(key):
            self._key = key
            self._lives.append(RowLife(self._step("row_published", cause=cause)))

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        life = self._row(replica.key)
        if life is not None:
            life.picks += 1
            life.last_picked_ns = self._view.clock.now_ns()

    def probed(
        self, request: Request | None, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome
    ) -> None:
        self._answered("probed", request, key, address, started_ns, outcome)

    def checked(self, request: Request, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        self._answered("checked", request, key, address, started_ns, outcome)

    def process_ended(self, key: ReplicaKey, address: str, cause: str) -> None:
        life = self._row(key)
        if life is not None:
            life.evidence.append(self._step("process_ended", cause=cause))

    def node_changed(self, node: str, status: NodeStatus, cause: str) -> None:
        life = self._current()
        if life is not None and self._key is not None and node == self._key.node:
            life.evidence.append(self._step("node_changed", status=status.value, cause=cause))

    def fault_struck(self, kind: str, place: str) -> None:
        life = self._current()
        if life is not None and self._key is not None and place in (self._key.node, str(self._key)):
            life.evidence.append(self._step("fault_struck", kind=kind, place=place))

    def row_removed(self, key: ReplicaKey, address: str, cause: str, request: Request | None) -> None:
        if not self._is_wanted(key):
            return
        life = self._row(key)
        if life is None:
            life = RowLife()
            self._lives.append(life)
        facts: dict[str, Fact] = {"cause": cause, "process_alive": self._view.is_alive(address)}
        if request is not None:
            facts["request"] = request.id
        life.removed = Step(self._view.clock.now_ns(), "row_removed", facts, ahead=self._queues.at(key))

    def _answered(
        self,
        what: str,
        request: Request | None,
        key: ReplicaKey,
        address: str,
        started_ns: int,
        outcome: ProbeOutcome,
    ) -> None:
        life = self._row(key)
        if life is None:
            return
        now_ns = self._view.clock.now_ns()
        if outcome is ProbeOutcome.OK:
            life.answers += 1
            life.last_answer_ns = now_ns
            life.evidence.clear()
            return
        asker = None if request is None else request.id
        facts: dict[str, Fact] = {"outcome": outcome.name.lower(), "lasted_ns": now_ns - started_ns, "request": asker}
        facts["process_alive"] = self._view.is_alive(address)
        life.evidence.append(Step(now_ns, what, facts, ahead=self._queues.at(key)))

    def _row(self, key: ReplicaKey) -> RowLife | None:
        """Return the row that the replica has now, if it is the one that is wanted."""
        return self._current() if self._is_wanted(key) else None

    def _current(self) -> RowLife | None:
        return self._lives[-1] if self._lives and self._lives[-1].removed is None else None

    def _is_wanted(self, key: ReplicaKey) -> bool:
        return self._facts.label(key) == self._wanted

    def _step(self, what: str, **facts: Fact) -> Step:
        return Step(self._view.clock.now_ns(), what, facts)
