"""One run and its trace, for all tests of a module."""

import pytest

from sim import RunResult, run
from sim.report.trace.file import trace_events
from sim.report.trace.tracks import Event


@pytest.fixture(scope="module")
def result() -> RunResult:
    """A run with requests that overlap, probes that time out, rows that are reaped, and loads."""
    return run("scenarios/probe_stall.yaml", "uncached")


@pytest.fixture(scope="module")
def events(result: RunResult) -> list[Event]:
    """The trace of the run."""
    return list(trace_events([result]))
