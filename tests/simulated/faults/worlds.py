"""Small worlds, each run as it is and with a fault in it."""

from typing import Any

from sim.scenario import loads
from sim.study.run import RunResult, run
from tests.simulated.faults.invariants import broken_invariants


def without_and_with(text: str, *faults: str) -> tuple[RunResult, RunResult]:
    """Run a scenario's text as it is, then with these faults, each the inside of a mapping in one line.

    Whatever a fault does, the run has one digest and what must always hold does.
    """
    faulty = loads(f"name: world\n{text}\nfaults:\n" + "".join(f"  - {{{fault}}}\n" for fault in faults))
    result = run(faulty)
    assert run(faulty).digest == result.digest
    assert broken_invariants(result) == []
    return run(loads(f"name: world\n{text}")), result


def told(result: RunResult, *kinds: str) -> list[tuple[Any, ...]]:
    """Return when each event of these kinds happened, in seconds, what happened, to whom, and why; in order."""
    events = result.events
    chosen = events[events["kind"].isin(kinds)].astype(object)
    whom = chosen["replica"].fillna(chosen["subject"])
    why = chosen["cause"].fillna("")
    return list(zip(chosen["t_s"].tolist(), chosen["kind"].tolist(), whom.tolist(), why.tolist(), strict=True))


def struck(result: RunResult) -> list[tuple[float, str]]:
    """Return when a fault took effect, in seconds, and where; in order."""
    return [(t_s, place) for t_s, _, place, _ in told(result, "fault_struck")]


def outcomes(result: RunResult) -> list[str]:
    """Return how each request ended, in the order of arrival."""
    outcome: list[str] = result.requests["outcome"].tolist()
    return outcome
