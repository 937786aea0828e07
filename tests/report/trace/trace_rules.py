"""What a viewer demands of a trace: the rules of the Trace Event Format that it silently drops events for."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from itertools import pairwise

from sim.report.trace.tracks import Event, Thread, Tracks


def broken_rules(events: Iterable[Event]) -> Iterator[str]:
    """Yield a sentence for each rule that an event breaks."""
    events = list(events)
    slices: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in events:
        if event["ph"] == "X":
            slices[event["pid"], event["tid"]].append(event)
            if event["dur"] < 0 or event["ts"] < 0:
                yield f"{event['name']} lasts less than nothing, or begins before the run"
    yield from _unnamed(events)
    for (pid, tid), on_thread in slices.items():
        for where in _crossings(on_thread):
            yield f"on thread {tid} of process {pid} {where}"
    yield from _loose_arrows(events, slices)


def _unnamed(events: list[Event]) -> Iterator[str]:
    named = {(event["pid"], event["tid"]) for event in events if event["name"] == "thread_name"}
    used = {(event["pid"], event["tid"]) for event in events if event["ph"] in "Xi"}
    yield from (f"thread {tid} of process {pid} has no name" for pid, tid in sorted(used - named))
    processes = {event["pid"] for event in events if event["name"] == "process_name"}
    yield from (f"process {pid} has no name" for pid in sorted({event["pid"] for event in events} - processes))


def _crossings(slices: list[Event]) -> Iterator[str]:
    """Yield the pairs of slices of a thread that overlap and do not lie in each other, and those out of order."""
    for earlier, later in pairwise(slices):
        if later["ts"] < earlier["ts"]:
            yield f"{later['name']} comes after {earlier['name']} and begins before it"
    open_ends: list[tuple[int, Event]] = []
    for event in slices:
        start_ns, end_ns = _times_ns(event)
        while open_ends and open_ends[-1][0] <= start_ns:
            open_ends.pop()
        if open_ends and end_ns > open_ends[-1][0]:
            yield f"{event['name']} outlasts {open_ends[-1][1]['name']}, in which it begins"
        open_ends.append((end_ns, event))


def _loose_arrows(events: list[Event], slices: dict[tuple[int, int], list[Event]]) -> Iterator[str]:
    edges = {thread: {_times_ns(event) for event in on_thread} for thread, on_thread in slices.items()}
    started = set()
    for event in events:
        if event["ph"] not in "stf":
            continue
        if event["ph"] == "s":
            started.add(event["id"])
        if event["id"] not in started:
            yield f"flow {event['id']} has no start before {event['ph']}"
        at_ns = round(event["ts"] * 1000)
        if not any(start_ns <= at_ns <= end_ns for start_ns, end_ns in edges[event["pid"], event["tid"]]):
            yield f"flow {event['id']} touches no slice at {event['ts']}"


def _times_ns(event: Event) -> tuple[int, int]:
    start_ns = round(event["ts"] * 1000)
    return start_ns, start_ns + round(event["dur"] * 1000)


def one_lane_for_all(tracks: Tracks, process: str, owner: str, *_times_ns: int) -> Thread:
    """Take the place of `Tracks.lane`: slices that overlap share a thread, as they must not."""
    return tracks.thread(process, owner)
