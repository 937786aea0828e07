"""The lines that a picking program reads and writes, each one JSON object.

A pick is asked for by a line with `candidates`, and answered by a line `{"index": n}` or `{"index": null}`. A line with
an `event` tells what became of a pick, and has no answer. `schema.py` says what each key means.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from json import JSONEncoder, loads
from typing import Any

from sim.routing.policies.port import ReplicaView, RequestView

PROTOCOL = 1
"""Raised when a program that follows the protocol would no longer work. New keys do not raise it."""
EVENTS = ("sent", "ended")

_encode = JSONEncoder(separators=(",", ":")).encode


def pick_line(now_ns: int, request: RequestView, replicas: Sequence[ReplicaView]) -> bytes:
    """Return the line that asks for a pick."""
    candidates = [replica._asdict() for replica in replicas]
    return _line({"now_ns": now_ns, "request": request._asdict(), "candidates": candidates})


def sent_line(now_ns: int, request: RequestView, replica: ReplicaView) -> bytes:
    """Return the line that tells that the request is about to be sent to the replica."""
    return _line({"now_ns": now_ns, "event": "sent", "request": request._asdict(), "replica": replica._asdict()})


def ended_line(now_ns: int, request: RequestView, replica: ReplicaView, outcome: str, duration_ns: int) -> bytes:
    """Return the line that tells that the request has ended, so long after it was sent."""
    return _line(
        {
            "now_ns": now_ns,
            "event": "ended",
            "request": request._asdict(),
            "replica": replica._asdict(),
            "outcome": outcome,
            "duration_ns": duration_ns,
        }
    )


def _line(content: dict[str, Any]) -> bytes:
    return _encode(content).encode() + b"\n"


@dataclass(frozen=True, slots=True)
class Answer:
    """What a program answers."""

    index: int | None
    """Of the candidate, from 0; None for none of them."""
    tell: Collection[str] | None
    """The events that it wants to be told of from now on; None to leave that as it is."""


class BadAnswer(ValueError):
    """The line is no answer. The text says what was found and what is allowed."""


def parse_answer(line: bytes, candidates: int) -> Answer:
    """Return the answer to a pick among so many candidates, whatever other keys it has. Raises BadAnswer."""
    try:
        answer = loads(line.decode())
    except (ValueError, RecursionError):
        raise BadAnswer(f"answered {shown(line)}, which is not JSON; {_allowed(candidates)}") from None
    if not isinstance(answer, dict) or "index" not in answer:
        raise BadAnswer(f'answered {shown(line)}, which has no "index"; {_allowed(candidates)}')
    index, tell = answer["index"], answer.get("tell")
    # A bool is an int to Python.
    if index is not None and (type(index) is not int or not 0 <= index < candidates):
        raise BadAnswer(f"answered {shown(line)}; {_allowed(candidates)}")
    if tell is not None and not (isinstance(tell, list) and all(event in EVENTS for event in tell)):
        raise BadAnswer(f'answered {shown(line)}; allowed as "tell": a list of "sent" and "ended"')
    return Answer(index, tell)


def _allowed(candidates: int) -> str:
    indices = "n = 0" if candidates == 1 else f"n from 0 to {candidates - 1}"
    return f'allowed: {{"index": n}} with {indices}, or {{"index": null}}'


def shown(line: bytes) -> str:
    """Return the line as an error shows it: quoted, and not too long."""
    text = repr(line.decode(errors="backslashreplace").rstrip("\n"))
    return text if len(text) <= 120 else f"{text[:110]}...'"
