"""Runs that are told to a recorder by hand, so that every figure of them is known on paper."""

from collections.abc import Mapping
from types import MappingProxyType

from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.records import Records
from sim.measure.summary import summarise
from sim.routing.outcomes import Outcome
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from tests.hand_clock import HandClock
from tests.recorders import recorder_by


def served(served_by: list[ReplicaKey], ready: list[ReplicaKey], removed_ns: int | None = None) -> Records:
    """Serve a request per microsecond, each for one microsecond, on the replicas in turn.

    The row of the first of the `ready` replicas is removed at the time given.
    """
    clock = HandClock()
    recorder = recorder_by(clock)
    for key in ready:
        recorder.row_published(key, "scenario")
    for number, key in enumerate(served_by):
        clock.t_ns = 1000 * number
        request = Request(number, key.model, 0, 0, clock.t_ns, 0, 0, 0)
        recorder.arrived(request)
        recorder.routed(request, key)
        recorder.served_from(request)
        clock.t_ns += 1000
        recorder.ended(request, Outcome.COMPLETED, "")
    if removed_ns is not None:
        clock.t_ns = removed_ns
        recorder.row_removed(ready[0], "address", "reaped", None)
    return recorder.records


def figures(records: Records, *models: str, speeds: Mapping[str, float] = MappingProxyType({})) -> dict[str, float]:
    """Return the figures of such a run of these models, on nodes of these speeds."""
    end_ns = 1000 * len(records.requests)
    return summarise(
        records, Totals(0, 0, 0, 0, end_ns=end_ns), RunFacts(models=models, speeds=dict.fromkeys(models, speeds))
    )
