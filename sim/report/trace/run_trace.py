"""One run as events of a trace, made from its records.

Each node is a process; each of its replicas is a thread with a slice for every request that it serves. Each frontend is
a process with a slice for every request that it takes. Arrows lead from a request's arrival to its picks, to the probe
that was sent for it, and to its service.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from sim.measure.recording.events import FLAG_OF, NODE_STATUSES, EventKind, Flag
from sim.measure.recording.records import MISSING, Table
from sim.measure.result import RunResult
from sim.report.trace.tracks import Event, Thread, Tracks, microseconds
from sim.routing.outcomes import AnswerSource, Outcome, ProbeOutcome

_LEFT_OUT = (EventKind.BLOCKS_RECALLED, EventKind.BLOCKS_READ)
"""Two for each prompt: nothing else could be seen beside them."""


class RunTrace:
    """Makes the events of one run."""

    def __init__(self, result: RunResult, tracks: Tracks, within: str = "", first_flow: int = 0) -> None:
        """`within` is what the names of its processes begin with, `first_flow` the number of its first request's flow.

        Flows are numbered through all runs of a trace.
        """
        records = result.records
        self._tracks, self._within, self._first_flow = tracks, within, first_flow
        self._end_ns = result.totals.end_ns
        self._keys = list(records.replicas)
        self._labels = [result.facts.label(key) for key in self._keys]
        self._models, self._causes, self._subjects = map(list, (records.models, records.causes, records.subjects))
        # As lists, because single cells of arrays are slow to read.
        self._requests, self._picks = _columns(records.requests), _columns(records.picks)
        self._probes, self._events = _columns(records.probes), _columns(records.events)
        self._picks_of = _rows_of_requests(self._picks["request"], len(records.requests))

    def events(self) -> Iterator[Event]:
        """Yield the events, part by part; slices of one thread come in the order of their starts."""
        yield from self._taken()
        yield from self._served()
        yield from self._probed()
        yield from self._in_flight()
        yield from self._happened()

    def _taken(self) -> Iterator[Event]:
        """Yield what frontends do: each request from its arrival to its end, its route and its picks."""
        table = self._requests
        for request, arrival_ns in enumerate(table["arrival_ns"]):
            end_ns = self._known(table["end_ns"][request])
            frontend = f"frontend {table['frontend'][request]}"
            thread = self._tracks.lane(f"{self._within}{frontend}", "requests", arrival_ns, end_ns)
            yield thread.slice(f"request {request}", arrival_ns, end_ns, **self._facts(request))
            yield thread.arrow("s", self._first_flow + request, arrival_ns)
            routed_ns = min(self._known(table["routed_ns"][request]), end_ns)
            yield thread.slice("route", arrival_ns, routed_ns)
            yield from self._picked(thread, request, routed_ns, end_ns)
            start_ns = table["start_ns"][request]
            if routed_ns < start_ns <= end_ns:
                yield thread.slice("queue", routed_ns, start_ns)

    def _picked(self, thread: Thread, request: int, routed_ns: int, end_ns: int) -> Iterator[Event]:
        """Yield the request's picks, each until the next one or the route; none after its end.

        A frontend may go on with the route of a client that has left.
        """
        picks = self._picks
        rows = [row for row in self._picks_of[request] if picks["t_ns"][row] <= end_ns]
        starts_ns = [picks["t_ns"][row] for row in rows]
        for row, (start_ns, next_ns) in zip(rows, pairwise([*starts_ns, routed_ns]), strict=True):
            source = picks["source"][row]
            yield thread.slice(
                f"pick {self._labels[picks['replica'][row]]}",
                start_ns,
                # The picks of a retry that finds no route come after the route that was recorded.
                max(start_ns, min(next_ns, routed_ns)),
                in_flight=picks["in_flight"][row],
                last_used_s=picks["last_used_ns"][row] / 1e9,
                vouched_by="nobody" if source == MISSING else AnswerSource(source).name.lower(),
                alive=picks["alive"][row] == 1,
            )
            yield thread.arrow("t", self._first_flow + request, start_ns)

    def _served(self) -> Iterator[Event]:
        """Yield what replicas do: each request from the start of its service, with prefill and decode if known."""
        table = self._requests
        for request in _in_order(table["start_ns"]):
            start_ns, replica = table["start_ns"][request], table["replica"][request]
            if start_ns == MISSING or replica == MISSING:
                continue
            # A call that is broken off has no last token.
            last_ns = table["served_ns"][request]
            end_ns = max(start_ns, self._known(table["end_ns"][request] if last_ns == MISSING else last_ns))
            thread = self._tracks.lane(self._node(replica), self._labels[replica], start_ns, end_ns)
            yield thread.slice(f"request {request}", start_ns, end_ns, **self._facts(request))
            yield thread.arrow("f", self._first_flow + request, start_ns)
            first_ns = table["first_token_ns"][request]
            if first_ns != MISSING:
                yield thread.slice("prefill", start_ns, first_ns)
                yield thread.slice("decode", first_ns, end_ns)

    def _probed(self) -> Iterator[Event]:
        """Yield the probes, those of background loops included, beside the replica that they went to."""
        table = self._probes
        for row in _in_order(table["start_ns"]):
            replica, request = table["replica"][row], table["request"][row]
            start_ns, end_ns = table["start_ns"][row], table["end_ns"][row]
            thread = self._tracks.lane(self._node(replica), f"probes of {self._labels[replica]}", start_ns, end_ns)
            asker = "a loop" if request == MISSING else f"request {request}"
            yield thread.slice(
                f"probe for {asker}",
                start_ns,
                end_ns,
                outcome=ProbeOutcome(table["outcome"][row]).name.lower(),
                process_alive=table["process_alive"][row] == 1,
            )
            if request != MISSING:
                yield thread.arrow("t", self._first_flow + request, start_ns)

    def _in_flight(self) -> Iterator[Event]:
        """Yield a counter for each replica: the requests that have their route to it and have not ended."""
        table = self._requests
        steps = [
            (time_ns, step, replica)
            for routed_ns, end_ns, replica in zip(table["routed_ns"], table["end_ns"], table["replica"], strict=True)
            if MISSING not in (routed_ns, replica)
            for time_ns, step in ((routed_ns, 1), (end_ns, -1))
            if time_ns != MISSING
        ]
        counts = [0] * len(self._keys)
        # Of one instant, those that end come first.
        for time_ns, step, replica in sorted(steps):
            counts[replica] += step
            yield {
                "ph": "C",
                "name": f"in flight {self._labels[replica]}",
                "pid": self._tracks.process(self._node(replica)),
                "ts": microseconds(time_ns),
                "args": {"requests": counts[replica]},
            }

    def _happened(self) -> Iterator[Event]:
        """Yield rows that come and go, loads, ends of processes, changes of nodes and faults, each as an instant."""
        table = self._events
        for row in range(len(table["kind"])):
            kind = EventKind(table["kind"][row])
            if kind in _LEFT_OUT:
                continue
            args = dict(self._told(row, kind))
            yield self._place(row).instant(kind.name.lower().replace("_", " "), table["t_ns"][row], **args)

    def _place(self, row: int) -> Thread:
        replica, request, subject = (self._events[column][row] for column in ("replica", "request", "subject"))
        if replica == MISSING and request != MISSING:
            replica = self._requests["replica"][request]
        if replica != MISSING:
            return self._tracks.thread(self._node(replica), self._labels[replica])
        if EventKind(self._events["kind"][row]) is EventKind.NODE_CHANGED:
            return self._tracks.thread(f"{self._within}{self._subjects[subject]}", "node")
        return self._tracks.thread(f"{self._within}run", "faults and scaling")

    def _told(self, row: int, kind: EventKind) -> Iterator[tuple[str, str | int | bool]]:
        table = self._events
        for name, names in (("cause", self._causes), ("subject", self._subjects)):
            if table[name][row] != MISSING:
                yield name, names[table[name][row]]
        if table["request"][row] != MISSING:
            yield "request", table["request"][row]
        meaning, flag = FLAG_OF.get(kind), table["flag"][row]
        if meaning is Flag.STATUS:
            yield meaning.value, NODE_STATUSES[flag].value
        elif meaning is Flag.SCALED_BY:
            yield meaning.value, flag
        elif meaning is not None:
            yield meaning.value, bool(flag)

    def _facts(self, request: int) -> dict[str, str]:
        table = self._requests
        outcome, cause, replica = (table[column][request] for column in ("outcome", "cause", "replica"))
        facts = {
            "model": self._models[table["model"][request]],
            "outcome": "unfinished" if outcome == MISSING else Outcome(outcome).name.lower(),
        }
        if replica != MISSING:
            facts["replica"] = self._labels[replica]
        if cause != MISSING:
            facts["cause"] = self._causes[cause]
        return facts

    def _node(self, replica: int) -> str:
        return f"{self._within}{self._keys[replica].node}"

    def _known(self, time_ns: int) -> int:
        """Return the time, or the end of the run for what had not happened by then."""
        return self._end_ns if time_ns == MISSING else time_ns


def _columns(table: Table) -> Mapping[str, Sequence[int]]:
    return {column: table[column].tolist() for column in table.columns}


def _rows_of_requests(requests: Sequence[int], count: int) -> Sequence[Sequence[int]]:
    """Return for each of `count` requests the numbers of its rows, in their order."""
    rows: list[list[int]] = [[] for _ in range(count)]
    for row, request in enumerate(requests):
        rows[request].append(row)
    return rows


def _in_order(times_ns: Sequence[int]) -> Sequence[int]:
    """Return the numbers of the rows by their times; those of one time in their order."""
    return sorted(range(len(times_ns)), key=times_ns.__getitem__)
