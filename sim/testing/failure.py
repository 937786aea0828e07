"""What a failed expectation says: figure and bound, seeds, where the requests went, and how to see it again."""

from collections.abc import Iterator

from sim.measure.expectations import Verdict
from sim.scenario import ScenarioFile
from sim.study.run import run
from sim.testing.shares import ReplicaShare, share_lines


def failure_message(file: ScenarioFile, verdict: Verdict) -> str:
    """Return the message for a verdict that did not hold.

    The shares are those of the worst seed in the expectation's window. That run is made again: nobody has kept its
    records.
    """
    return "\n".join(_lines(file, verdict))


def _lines(file: ScenarioFile, verdict: Verdict) -> Iterator[str]:
    bug = ", which would show the bug" if verdict.shows_bug else ""
    yield f"{file.path}: {verdict.run_name}: {verdict.figure_name} is {verdict.figure}, expected {verdict.bound}{bug}"
    if verdict.reason:
        yield verdict.reason
    if verdict.over is not None:
        yield str(verdict.over)
    result = run(file, verdict.variant, verdict.shown_seed)
    title = filter(None, [f"completed requests of {verdict.variant} on seed {verdict.shown_seed}", str(verdict.window)])
    yield f"{' '.join(title)}:"
    yield from (f"  {line}" for line in share_lines(ReplicaShare.of_run(result, verdict.window)))
    if verdict.command:
        yield f"run it again: {verdict.command}"
