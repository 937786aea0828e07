"""The observer that writes down the story of one request."""

from collections.abc import Mapping, Sequence
from typing import Any

from sim.measure.facts import RunFacts
from sim.measure.recording.events import EVICTED
from sim.measure.story.decision import Decision, Seen
from sim.measure.story.queues import LockHolders, Queues
from sim.measure.story.request_story import RequestStory
from sim.measure.story.steps import NO_FACTS, Fact, Step
from sim.observer import Observer, RunView
from sim.routing.outcomes import Answer, AnswerSource, Outcome, ProbeOutcome
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request


class RequestWitness(Observer):
    """Notes every step of one request, and what happened meanwhile to the replicas of its model.

    It has to stand before `queues` and `locks` among the observers, so that it sees them as they were
    before each event.
    """

    _view: RunView
    _facts: RunFacts

    def __init__(self, request: int, queues: Queues, locks: LockHolders) -> None:
        self._wanted = request
        self._queues = queues
        self._locks = locks
        self._steps: list[Step] = []
        self._request: Request | None = None
        self._has_route = self._has_ended = False
        self._picked = ""
        """Address of the request's last pick."""
        self._last_probe: tuple[str, int | None] = ("", None)
        """Address and request of the last probe that has ended."""

    def story(self, run: str) -> RequestStory | None:
        """Return the story, once the run is over; None if the request never came. `run` names the run."""
        if self._request is None:
            return None
        return RequestStory(run, self._wanted, self._request.model, tuple(self._steps))

    def begin(self, view: RunView) -> None:
        self._view, self._facts = view, RunFacts.of(view.plan.scenario)

    def arrived(self, request: Request) -> None:
        if request.id != self._wanted:
            return
        self._request = request
        facts: dict[str, Fact] = {"frontend": request.frontend, "model": request.model, **self._sender(request)}
        if request.prompt_tokens or request.output_tokens:
            facts |= {"prompt_tokens": request.prompt_tokens, "output_tokens": request.output_tokens}
        if request.patience_ns is not None:
            facts["patience_ns"] = request.patience_ns
        self._note("arrived", facts)

    def chose(self, request: Request, replicas: Sequence[Replica], chosen: Replica | None) -> None:
        if request.id != self._wanted:
            return
        seen = tuple(Seen.of(row, self._facts) for row in replicas)
        taken = None if chosen is None else next(place for place, row in enumerate(replicas) if row is chosen)
        policy = self._facts.policies[request.frontend]
        self._note("chose", decision=Decision(policy.name, seen, taken, policy.ties))

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        if request.id == self._wanted:
            self._picked = replica.address
            self._note("picked", {"replica": self._label(replica.key), "is_fresh": remembered is not None})

    def vouched(self, request: Request, answer: Answer) -> None:
        if request.id != self._wanted:
            return
        facts: dict[str, Fact] = {"alive": answer.alive, "source": answer.source.name.lower()}
        address, prober = self._last_probe
        if answer.source is AnswerSource.SHARED and address == self._picked:
            facts["probe_of"] = prober
        self._note("vouched", facts)

    def probed(
        self, request: Request | None, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome
    ) -> None:
        self._last_probe = (address, None if request is None else request.id)
        if request is not None and request.id == self._wanted:
            self._note_answer("probed", key, address, started_ns, outcome)

    def checked(self, request: Request, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        if request.id == self._wanted:
            self._note_answer("checked", key, address, started_ns, outcome)

    def lock_taken(self, request: Request, lock: str) -> None:
        if request.id == self._wanted:
            ahead = tuple(one for one in self._locks.since(request.frontend, lock) if one.request != self._wanted)
            self._note("lock_taken", {"lock": lock}, ahead=ahead)

    def lock_released(self, request: Request, lock: str) -> None:
        if request.id == self._wanted:
            self._note("lock_released", {"lock": lock})

    def routed(self, request: Request, key: ReplicaKey) -> None:
        if request.id != self._wanted:
            return
        self._has_route = True
        self._note("routed", {"replica": self._label(key), "by": self._way()}, ahead=self._queues.at(key))

    def served_from(self, request: Request) -> None:
        if request.id == self._wanted:
            self._note("served_from")

    def recalled(self, request: Request, blocks: int) -> None:
        if request.id == self._wanted:
            self._note("recalled", {"blocks": blocks, "blocks_of_prompt": len(request.chain)})

    def first_token(self, request: Request) -> None:
        if request.id == self._wanted:
            self._note("first_token")

    def served_until(self, request: Request) -> None:
        if request.id == self._wanted:
            self._note("served_until")

    def retried(self, request: Request, key: ReplicaKey, cause: str) -> None:
        if request.id == self._wanted:
            self._has_route = False
            self._note("retried", {"replica": self._label(key), "cause": cause})

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        if request.id == self._wanted:
            self._note("ended", {"outcome": outcome.name.lower(), "cause": cause})
            self._has_ended = True

    def row_removed(self, key: ReplicaKey, address: str, cause: str, request: Request | None) -> None:
        facts: dict[str, Fact] = {"replica": self._label(key), "cause": cause}
        facts["process_alive"] = self._view.is_alive(address)
        if request is not None and request.id == self._wanted:
            self._note("row_removed", facts, ahead=self._queues.at(key))
        elif cause == EVICTED or self._is_of_model(key):
            self._note_meanwhile("row_removed", facts)

    def row_published(self, key: ReplicaKey, cause: str) -> None:
        if self._is_of_model(key):
            self._note_meanwhile("row_published", {"replica": self._label(key), "cause": cause})

    def install_started(self, key: ReplicaKey, redundant: bool) -> None:
        if self._is_of_model(key):
            self._note_meanwhile("install_started", {"replica": self._label(key), "redundant": redundant})

    def load_started(self, key: ReplicaKey, redundant: bool) -> None:
        if self._is_of_model(key):
            self._note_meanwhile("load_started", {"replica": self._label(key), "redundant": redundant})

    def load_ended(self, key: ReplicaKey, failure: str) -> None:
        if self._is_of_model(key):
            self._note_meanwhile("load_ended", {"replica": self._label(key), "failure": failure})

    def fault_struck(self, kind: str, place: str) -> None:
        self._note_meanwhile("fault_struck", {"kind": kind, "place": place}, with_route=True)

    def process_ended(self, key: ReplicaKey, address: str, cause: str) -> None:
        if self._is_of_model(key):
            facts = {"replica": self._label(key), "cause": cause}
            self._note_meanwhile("process_ended", facts, with_route=True)

    def _sender(self, request: Request) -> dict[str, Fact]:
        """Return which kind of workload sent the request, or which fault: its source comes after the workloads."""
        workload = self._view.plan.scenario.workload
        if request.source < len(workload):
            return {"workload": workload[request.source].kind}
        return {"fault": "client_burst"}

    def _note(self, what: str, facts: Mapping[str, Fact] = NO_FACTS, **more: Any) -> None:
        self._steps.append(Step(self._view.clock.now_ns(), what, facts, **more))
        self._locks.forget()

    def _note_meanwhile(self, what: str, facts: Mapping[str, Fact], *, with_route: bool = False) -> None:
        """Note what is not of the request's own doing, while it has no route yet, or to its end."""
        is_under_way = self._request is not None and not self._has_ended
        if is_under_way and (with_route or not self._has_route):
            self._steps.append(Step(self._view.clock.now_ns(), what, facts, is_own=False))

    def _way(self) -> str:
        """Return how the request has come to its route: by a `pick`, by a `load`, or over a `kept` client."""
        asked = ("chose", "picked", "vouched", "retried")
        last = next((step for step in reversed(self._steps) if step.what in asked), None)
        if last is None or last.what == "retried":
            return "kept"
        # A choice without a pick found nothing to take, and a replica that seems dead is not taken.
        return "load" if last.what == "chose" or last.facts.get("alive") is False else "pick"

    def _is_of_model(self, key: ReplicaKey) -> bool:
        return self._request is not None and key.model == self._request.model

    def _label(self, key: ReplicaKey) -> str:
        return self._facts.label(key)

    def _note_answer(self, what: str, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        facts: dict[str, Fact] = {
            "replica": self._label(key),
            "outcome": outcome.name.lower(),
            "lasted_ns": self._view.clock.now_ns() - started_ns,
            "process_alive": self._view.is_alive(address),
        }
        self._note(what, facts, ahead=self._queues.at(key))
