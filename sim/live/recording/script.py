"""A frontend's transcript as a replay needs it: its lines to compare with, and its inputs to give again."""

import json
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import TypeAdapter

from sim.live.nodes.worker_control import ERRORS
from sim.live.recording.lines import Kind, Line, Seen
from sim.routing.fleet import Fleet, LoadJob, ReplicaRow
from sim.routing.ports import RunningProcess
from sim.routing.replica import Replica
from sim.routing.request import Request

_BOOL: TypeAdapter[Any] = TypeAdapter(bool)
_ROW: TypeAdapter[Any] = TypeAdapter(ReplicaRow | None)
_ROWS: TypeAdapter[Any] = TypeAdapter(list[ReplicaRow])
_JOB: TypeAdapter[Any] = TypeAdapter(LoadJob | None)

_ANSWERS: Mapping[str, TypeAdapter[Any]] = {
    "pick": TypeAdapter(Replica | None),
    "exchange": TypeAdapter(list[Replica]),
    "increment": _BOOL,
    "remove": _BOOL,
    "try_lock": _BOOL,
    "fleet": TypeAdapter(Fleet),
    "register_node": _ROWS,
    "set_status": _ROWS,
    "remove_row": _BOOL,
    "remove_idle_row": _BOOL,
    "evict": _ROW,
    "reserve_vram": _BOOL,
    "advance_revision": _ROWS,
    "claim_pass": _BOOL,
    "load_job": _JOB,
    "start_load": _JOB,
    "beat_load": _BOOL,
    "install": TypeAdapter(str),
    "processes": TypeAdapter(list[RunningProcess]),
}
"""Type of a call's answer; None for all other calls."""

_SEEN: Mapping[str, TypeAdapter[Any]] = {"pick": TypeAdapter(Seen), "evict": TypeAdapter(Fleet)}
"""Type of what a call that makes a choice chooses from."""

_CHOICE: TypeAdapter[Any] = TypeAdapter(list[Replica])

_REQUEST = TypeAdapter(Request)


@dataclass(slots=True)
class Script:
    """One frontend's part of a recording."""

    lines: list[Line] = field(default_factory=list)
    """All lines but those of rows that choices were made from, which are input alone."""
    arrivals: dict[int, Request] = field(default_factory=dict)
    """Arrivals by number of the request."""
    answers: dict[int, Any] = field(default_factory=dict)
    """Answers by number of the wait. An exception stands for an answer that is raised."""
    seen: dict[int, Any] = field(default_factory=dict)
    """What each pick (Seen) and each eviction (Fleet) chose from, by number of the wait."""
    choices: dict[int, deque[list[Replica]]] = field(default_factory=dict)
    """The rows of each choice that a pick asked a policy for, in turn, by number of the wait."""
    late: set[int] = field(default_factory=set)
    """The time limits that fired, by number of the wait."""
    _open: dict[int, str] = field(default_factory=dict)
    """Name of the call of each wait that has not ended."""

    def add(self, line: Line) -> None:
        """Take over the next line. Raises ValueError if it cannot come next."""
        if line.t_ns < (self.lines[-1].t_ns if self.lines else 0):
            raise ValueError("time goes back")
        match line.kind:
            case "arrived":
                self._add_arrival(line)
            case "asked":
                if line.wait is not None:
                    self._open[line.wait] = line.what
            case "told":
                pass
            case _:
                self._add_input(line, -1 if line.wait is None else line.wait)
        if line.kind != "saw":
            self.lines.append(line)

    def _add_arrival(self, line: Line) -> None:
        request: Request = _typed(_REQUEST, line.values)
        if line.request != request.id or request.id in self.arrivals:
            raise ValueError("the number of the request is not its own")
        self.arrivals[request.id] = request

    def _add_input(self, line: Line, wait: int) -> None:
        what = self._open.get(wait)
        if what is None or not _can_end(what, line.kind):
            raise ValueError(f"nothing waits for this under the number {line.wait}")
        match line.kind:
            case "late":
                self.late.add(wait)
            case "choosing":
                self.choices.setdefault(wait, deque()).append(_typed(_CHOICE, line.values))
            case "saw":
                self.seen[wait] = _typed(_SEEN[what], line.values)
            case "failed":
                text = str(line.values[0]) if line.values else ""
                # An error that no port is known to raise comes back under its name, as a plain exception.
                self.answers[wait] = (ERRORS.get(line.what) or type(line.what, (Exception,), {}))(text)
            case "answered":
                self._add_answer(line, wait, what)
        if line.kind in ("failed", "answered", "left"):
            del self._open[wait]

    def _add_answer(self, line: Line, wait: int, what: str) -> None:
        if what in _SEEN and wait not in self.seen:
            raise ValueError(f"{what} answers without what it chose among")
        self.answers[wait] = _typed(_ANSWERS[what], line.values) if what in _ANSWERS else None


def _can_end(what: str, kind: Kind) -> bool:
    """Tell whether the wait may end with a line of this kind: a limit only fires, and a task only begins."""
    only: dict[str, Kind] = {"within": "late", "spawn": "answered"}
    if what in only:
        return kind == only[what]
    if kind == "choosing":
        return what == "pick"
    return what in _SEEN if kind == "saw" else kind != "late"


def _typed(adapter: TypeAdapter[Any], values: list[Any]) -> Any:
    # Through JSON text, because in JSON the strict rules accept a list for a tuple.
    return adapter.validate_json(json.dumps(values[0] if values else None), strict=True)
