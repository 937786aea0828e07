"""Small worlds that are run twice, without a fault and with it, and what their tables tell."""

from sim import loads
from sim.measure.result import RunResult
from sim.study.run import run

ROUTER_ALONE = (
    "router.liveness=none",
    "router.failure_domain=replica",
    "router.cancellation=propagated",
    "router.reservation=request_scope",
    "router.on_wrong_model=remove_row",
)
"""Overrides that leave of a profile what its router does: no checks beside it, nothing that outlasts a request."""


def run_with(text: str, *faults: str) -> RunResult:
    """Run a scenario that has no name of its own with these faults, each written as its keys.

    It is about a fault's own effect, so nothing goes on around the router: see ROUTER_ALONE.
    """
    written = "faults:\n" + "".join(f"  - {{{fault}}}\n" for fault in faults) if faults else ""
    return run(loads(f"name: world\n{text}\n{written}", ROUTER_ALONE))


def without_and_with(text: str, *faults: str) -> tuple[RunResult, RunResult]:
    """Run the scenario without the faults, and with them."""
    return run_with(text), run_with(text, *faults)


def outcomes(result: RunResult) -> list[str]:
    """Return how the requests ended, in order of arrival."""
    return [str(outcome) for outcome in result.requests["outcome"]]


def told(result: RunResult, *kinds: str) -> list[tuple[float, str, str, str]]:
    """Return the events of these kinds: when, what, to whom and why."""
    events = result.events
    chosen = events[events["kind"].isin(kinds)].astype(object)
    whom = chosen["replica"].fillna(chosen["subject"])
    why = chosen["cause"].fillna("")
    return list(zip(chosen["t_s"].tolist(), chosen["kind"].tolist(), whom.tolist(), why.tolist(), strict=True))


def struck(result: RunResult) -> list[tuple[float, str]]:
    """Return when and where faults took effect."""
    return [(t_s, whom) for t_s, _, whom, _ in told(result, "fault_struck")]
