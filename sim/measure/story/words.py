"""The story of a request in sentences, one for each step."""

from collections.abc import Callable, Iterator, Sequence

from sim.measure.story.decision_words import decision_in_words
from sim.measure.story.steps import Ahead, Fact, Step

_OUTCOMES = {"ok": "answers after", "timeout": "gives no answer within", "failed": "is refused, or broken off, after"}
_WAYS = {
    "pick": "",
    "load": ", which was loaded for it",
    "kept": " without a pick: the frontend has a client for it already",
}
_CAUSES = {
    "scenario": "the scenario has it",
    "cold_load": "a request without a replica had it loaded",
    "scale_up": "the reconciler had it loaded",
    "probe_failed": "the probe of a request said that it is dead",
    "ModelNotLoaded": "a call found that its process does not hold the model",
    "WrongModel": "a call found that its process holds another model",
    "model_unloaded": "a frontend gave the model up",
    "evicted": "another replica needed its place, and it was the least recently used",
    "idle": "the reconciler found one replica too many, and this one was idle",
    "node_offline": "the heartbeats of its node were missing",
    "node_drain": "its node was taken out of service",
    "reregistered": "its node registered anew, which deletes its rows",
    "monitor_misses": "the health monitor's probes were not answered several times in a row",
    "not_in_process_table": "its worker did not list the process",
    "unreachable": "the reconciler's probes did not reach it",
    "old_revision": "its model has a new revision",
}


def cause_in_words(cause: str) -> str:
    """Return why a row was written or deleted; a fault's name stands for itself."""
    return f"{_CAUSES[cause]} ({cause})" if cause in _CAUSES else cause


def sentence(step: Step) -> str:
    """Return what happened."""
    text = _TELL[step.what](step)
    return text if step.is_own else f"meanwhile, {text}"


def worth_telling(steps: Sequence[Step]) -> Iterator[Step]:
    """Leave out that a lock is given back at once, and that it was taken if nobody else had it."""
    for before, step, after in zip([None, *steps], steps, [*steps[1:], None], strict=False):
        if _is_at_once(before, step) or (_is_at_once(step, after) and not step.ahead):
            continue
        yield step


def _is_at_once(taken: Step | None, released: Step | None) -> bool:
    if taken is None or released is None:
        return False
    return (taken.what, released.what, taken.t_ns) == ("lock_taken", "lock_released", released.t_ns)


def requests_in_words(ahead: Sequence[Ahead]) -> str:
    """Return the requests by number, the first few if they are many."""
    named = ", ".join(str(one.request) for one in ahead[:5])
    more = f" and {len(ahead) - 5} more" if len(ahead) > 5 else ""
    return f"request{'s' if len(ahead) > 1 else ''} {named}{more}"


def _arrived(step: Step) -> str:
    tokens = f" with {step.facts['prompt_tokens']} tokens" if step.facts.get("prompt_tokens") else ""
    sender = f"fault {step.facts['fault']}" if "fault" in step.facts else f"workload {step.facts['workload']}"
    return f"arrives at frontend {step.facts['frontend']}{tokens}, sent by the {sender}"


def _chose(step: Step) -> str:
    return decision_in_words(step.decision) if step.decision is not None else ""


def _picked(step: Step) -> str:
    known = "has answered lately" if step.facts["is_fresh"] else "is to be probed"
    return f"the registry reserves {step.facts['replica']}, which {known}"


def _vouched(step: Step) -> str:
    says = "alive" if step.facts["alive"] else "dead"
    if step.facts["source"] == "shared":
        prober = step.facts.get("probe_of")
        whose = "another's probe" if prober is None else f"the probe of request {prober}"
        return f"{whose} answers for it too: the replica is taken for {says}"
    return f"the replica is taken for {says}"


def _probed(step: Step) -> str:
    return f"its probe to {_answer(step)}"


def _checked(step: Step) -> str:
    return f"its liveness check of {_answer(step)}"


def _answer(step: Step) -> str:
    return f"{step.facts['replica']} {answer_in_words(step)}"


def answer_in_words(step: Step) -> str:
    """Return how a health call ended, and what its process was doing if it did not answer well."""
    outcome = str(step.facts["outcome"])
    ended = f"{_OUTCOMES[outcome]} {duration(step.facts['lasted_ns'])}"
    if outcome == "ok" or not step.facts["process_alive"]:
        return ended
    return f"{ended}, though its process is alive{and_busy(step.ahead)}"


def and_busy(ahead: Sequence[Ahead]) -> str:
    """Return the requests that the process is busy with, to go on with in a sentence; nothing if it is idle."""
    served = [one for one in ahead if one.is_served]
    return f" and serves {requests_in_words(served)}" if served else ""


def _lock_taken(step: Step) -> str:
    holders = f", which {requests_in_words(step.ahead)} had meanwhile" if step.ahead else ""
    return f"takes the lock '{step.facts['lock']}'{holders}"


def _lock_released(step: Step) -> str:
    return f"gives the lock '{step.facts['lock']}' back"


def _routed(step: Step) -> str:
    way = _WAYS[str(step.facts["by"])]
    queue = f", behind {requests_in_words(step.ahead)}" if step.ahead else ", where no request is"
    return f"is sent to {step.facts['replica']}{way}{queue}"


def _row_removed(step: Step) -> str:
    alive = f", though its process is alive{and_busy(step.ahead)}" if step.facts["process_alive"] else ""
    return f"the row of {step.facts['replica']} is deleted{alive}: {cause_in_words(str(step.facts['cause']))}"


def _install_started(step: Step) -> str:
    redundant = ", which runs already" if step.facts["redundant"] else ""
    return f"a process is asked for as {step.facts['replica']}{redundant}"


def _load_started(step: Step) -> str:
    redundant = ", though it holds the model" if step.facts["redundant"] else ""
    return f"{step.facts['replica']} begins to load the model{redundant}"


def _load_ended(step: Step) -> str:
    failure = step.facts["failure"]
    how = f"fails to load it: {failure}" if failure else "has loaded it"
    return f"{step.facts['replica']} {how}"


def _ended(step: Step) -> str:
    cause = f": {step.facts['cause']}" if step.facts["cause"] else ""
    return f"{step.facts['outcome']}{cause}"


def duration(time_ns: Fact) -> str:
    """Return a duration in the unit that fits it."""
    nanoseconds = int(time_ns or 0)
    for unit, size in (("s", 1e9), ("ms", 1e6), ("us", 1e3)):
        if nanoseconds >= size:
            return f"{nanoseconds / size:.4g} {unit}"
    return f"{nanoseconds} ns" if nanoseconds else "0 s"


_TELL: dict[str, Callable[[Step], str]] = {
    "arrived": _arrived,
    "chose": _chose,
    "picked": _picked,
    "vouched": _vouched,
    "probed": _probed,
    "checked": _checked,
    "lock_taken": _lock_taken,
    "lock_released": _lock_released,
    "routed": _routed,
    "served_from": lambda _: "its service begins",
    "recalled": lambda step: f"{step.facts['blocks']} of {step.facts['blocks_of_prompt']} blocks are cached",
    "first_token": lambda _: "has its first token",
    "served_until": lambda _: "its service ends",
    "retried": lambda step: f"its call fails ({step.facts['cause']}) at {step.facts['replica']}: it is routed again",
    "ended": _ended,
    "row_removed": _row_removed,
    "row_published": lambda step: f"{step.facts['replica']} has a row: {cause_in_words(str(step.facts['cause']))}",
    "install_started": _install_started,
    "load_started": _load_started,
    "load_ended": _load_ended,
    "process_ended": lambda step: f"the process of {step.facts['replica']} ends: {step.facts['cause']}",
    "fault_struck": lambda step: f"the fault {step.facts['kind']} strikes {step.facts['place']}",
}
