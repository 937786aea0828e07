"""What must hold in every run, whatever befalls it."""

from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise

from sim.measure.events import NODE_STATUSES, EventKind
from sim.measure.records import MISSING, Table
from sim.routing.outcomes import Outcome
from sim.routing.states import NodeStatus
from sim.scenario.spec.faults.frontend import MixedPolicyFault
from sim.study.run import RunResult

UNHEARD_NS = 10_000_000
"""A pick reads its row, holds it and is recorded when its transaction ends, which the node's status may overtake."""


def broken_invariants(result: RunResult) -> list[str]:
    """Return what does not hold, in words; that a request ends once is seen to by the recorder, which raises."""
    return [
        *_every_request_is_accounted_for(result),
        *_time_never_goes_back(result),
        *_no_offline_node_is_picked(result),
        *_one_probe_at_a_time(result),
    ]


def _every_request_is_accounted_for(result: RunResult) -> Iterator[str]:
    requests = result.records.requests
    outcomes, ends, arrivals = requests["outcome"], requests["end_ns"], requests["arrival_ns"]
    ended = outcomes != MISSING
    if len(outcomes) != sum(int((outcomes == kind).sum()) for kind in Outcome) + int((~ended).sum()):
        yield "a request has an outcome of no kind"
    if ((ends == MISSING) & ended).any() or ((ends != MISSING) & ~ended).any():
        yield "a request has an end without an outcome, or the other way round"
    if (ends[ended] < arrivals[ended]).any():
        yield "a request ended before it arrived"


def _time_never_goes_back(result: RunResult) -> Iterator[str]:
    records = result.records
    stamped: list[tuple[Table, str]] = [(records.picks, "t_ns"), (records.probes, "end_ns"), (records.events, "t_ns")]
    told = sorted(
        (seq, t_ns)
        for table, column in stamped
        for seq, t_ns in zip(table["seq"].tolist(), table[column].tolist(), strict=True)
    )
    times = [t_ns for _, t_ns in told]
    if times != sorted(times):
        yield "something recorded later happened earlier"


def _no_offline_node_is_picked(result: RunResult) -> Iterator[str]:
    records = result.records
    if any(fault.kind == "connection_lost" for fault in result.scenario.faults):
        return  # A status may be written, and whoever wrote it told that it was not.
    keys, subjects = list(records.replicas), list(records.subjects)
    picks = list(zip(records.picks["t_ns"].tolist(), records.picks["replica"].tolist(), strict=True))
    for node, since_ns, until_ns in _offline_spells(result, subjects):
        for t_ns, replica in picks:
            if keys[replica].node == node and since_ns + UNHEARD_NS < t_ns < until_ns:
                yield f"{node} was picked at {t_ns} ns while it was offline"


def _offline_spells(result: RunResult, subjects: list[str]) -> Iterator[tuple[str, int, int]]:
    events = result.records.events
    columns = (events[name].tolist() for name in ("kind", "subject", "flag", "t_ns"))
    since: dict[str, int] = {}
    for kind, subject, flag, t_ns in zip(*columns, strict=True):
        if kind != EventKind.NODE_CHANGED:
            continue
        node = subjects[subject]
        if NODE_STATUSES[flag] is NodeStatus.OFFLINE:
            since.setdefault(node, t_ns)
        elif node in since:
            yield node, since.pop(node), t_ns
    for node, since_ns in since.items():
        yield node, since_ns, result.totals.end_ns


def _one_probe_at_a_time(result: RunResult) -> Iterator[str]:
    probes, frontends = result.records.probes, result.records.requests["frontend"].tolist()
    columns = (probes[name].tolist() for name in ("request", "address", "start_ns", "end_ns"))
    spells: dict[tuple[int, int], list[tuple[int, int]]] = defaultdict(list)
    for request, address, start_ns, end_ns in zip(*columns, strict=True):
        spells[frontends[request], address].append((start_ns, end_ns))
    own_ways = [fault.frontend for fault in result.scenario.faults if isinstance(fault, MixedPolicyFault)]
    for (frontend, address), of_one in spells.items():
        if frontend in own_ways:
            continue  # It may share no probes.
        in_order = sorted(of_one)
        if any(later[0] < earlier[1] for earlier, later in pairwise(in_order)):
            yield f"frontend {frontend} had two probes of address {address} under way at once"
