"""The transcript of one frontend: every input of its routing code, and everything the code did with it, in order.

The code of a frontend runs in steps. A step begins when a request arrives, when something the code waits for happens,
or when a task of its own starts; it ends where the code waits again. Between two steps nothing but the code itself
can change what it will do, so the inputs that began the steps, in order, determine everything.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import asdict, dataclass, fields, is_dataclass
from enum import Enum, StrEnum
from typing import Any, Literal, NamedTuple, TypeVar

from sim.routing.ports import Clock
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.routing.request_path.singleflight import FlightFailed

T = TypeVar("T")

Kind = Literal["arrived", "asked", "choosing", "answered", "failed", "left", "late", "saw", "told"]
"""Kind of a line.

`arrived`, `choosing`, `answered`, `failed` and `left` begin a step: a request came in, a pick asks its policy to choose
among these rows, a call gave an answer or an error, or a wait was cancelled. `asked` is a call; it begins a wait unless
nobody waits for it. `told` is a call of the journal, or what was chosen. `late` says that a time limit has fired. `saw`
lists the rows that a pick or an eviction chose from.
"""

STEPS: frozenset[str] = frozenset({"arrived", "choosing", "answered", "failed", "left"})

for_request: ContextVar[int | None] = ContextVar("the request for whose sake the code runs", default=None)


class Line(NamedTuple):
    """One line of a transcript."""

    kind: Kind
    t_ns: int
    """Scenario time at the beginning of the step."""
    request: int | None
    """Number of the request within its frontend."""
    wait: int | None
    """Number of the wait, from 0 in the order of their beginnings."""
    what: str
    """Name of the call, of the journal's call, or of the error."""
    values: list[Any]
    """Arguments or answer, as plain JSON."""


@dataclass(slots=True)
class Seen:
    """The rows that one pick chose from, as the database saw them."""

    rows: list[Replica]
    """The model's rows as the statement found them, by id."""
    gone: list[str]
    """Ids of the rows that were gone when they were to be locked."""
    refused: bool = False
    """Whether the chosen row was on a node that was not healthy."""


class Transcript:
    """Writes the lines of one frontend, and keeps the time that its code sees.

    The code sees the time at which its step began all through the step, so that a replay can show it the same time.
    """

    def __init__(self, clock: Clock) -> None:
        self.lines: list[Line] = []
        self.t_ns = 0
        self.last_wait = -1
        """Number of the wait that began last."""
        self._clock = clock

    def arrived(self, request: Request) -> None:
        """Begin a step: a request came in."""
        for_request.set(request.id)
        self._begin_step("arrived", None, "request", [asdict(request)])

    def asked(self, what: str, *args: Any) -> int:
        """Write a call whose answer the code waits for, and return the number of the wait."""
        self.last_wait += 1
        self._write("asked", self.last_wait, what, args)
        return self.last_wait

    def sent(self, what: str, *args: Any) -> None:
        """Write a call whose answer the code does not wait for."""
        self._write("asked", None, what, args)

    def told(self, what: str, *args: Any) -> None:
        """Write a call of the journal."""
        self._write("told", None, what, args)

    def late(self, wait: int) -> None:
        """Write that the time limit has fired."""
        self._write("late", wait, "within", ())

    def saw(self, wait: int, what: str, *seen: Any) -> None:
        """Write the rows that a choice was made from."""
        self._write("saw", wait, what, seen)

    def choosing(self, wait: int, rows: Sequence[Replica]) -> None:
        """Begin a step: the pick that is waited for asks which of the rows to take."""
        self._begin_step("choosing", wait, "pick", [rows])

    def answered(self, wait: int, what: str, *answer: Any) -> None:
        """Begin a step: a wait has ended with an answer."""
        self._begin_step("answered", wait, what, answer)

    def ended_badly(self, wait: int, error: BaseException) -> None:
        """Begin a step: a wait has ended with an error, or was cancelled."""
        if isinstance(error, FlightFailed):
            # The text of a cancellation differs between the worlds.
            self._begin_step("failed", wait, type(error).__name__, ())
        elif isinstance(error, Exception):
            self._begin_step("failed", wait, type(error).__name__, [str(error)])
        else:
            self._begin_step("left", wait, "", ())

    async def call(
        self, what: str, args: tuple[Any, ...], call: Callable[[], Awaitable[T]], seen: Sequence[Any] = ()
    ) -> T:
        """Make the call and wait for its answer, which is written in full.

        A call that makes a choice puts the rows it chose from into `seen` before it answers. They are written too.
        """
        wait = self.asked(what, *args)
        try:
            answer = await call()
        except BaseException as error:
            self.ended_badly(wait, error)
            raise
        if seen:
            self.saw(wait, what, *seen)
        self.answered(wait, what, answer)
        return answer

    def _begin_step(self, kind: Kind, wait: int | None, what: str, values: Iterable[Any]) -> None:
        self.t_ns = self._clock.now_ns()
        self._write(kind, wait, what, values)

    def _write(self, kind: Kind, wait: int | None, what: str, values: Iterable[Any]) -> None:
        line = Line(kind, self.t_ns, for_request.get(), wait, what, [plain(value) for value in values])
        self.take(line)

    def take(self, line: Line) -> None:
        self.lines.append(line)


def plain(value: Any) -> Any:
    """Return a value that passes through a port as JSON can hold it, equal before and after writing."""
    match value:
        case Request():
            return value.id
        case StrEnum():
            return value.value
        case Enum():
            return value.name
        case tuple() | list():
            return [plain(entry) for entry in value]
        case Mapping():
            return {key: plain(entry) for key, entry in value.items()}
    if is_dataclass(value):
        return {part.name: plain(getattr(value, part.name)) for part in fields(value)}
    return value


_PLAIN_WORDS: Mapping[Kind, str] = {
    "arrived": "the request arrives",
    "left": "is told to leave",
    "late": "the time limit fires",
}


def described(line: Line | None) -> str:
    """Return the line as a sentence for people."""
    if line is None:
        return "nothing more"
    values = ", ".join(_shown(value) for value in line.values)
    if line.kind in _PLAIN_WORDS:
        return _PLAIN_WORDS[line.kind]
    match line.kind:
        case "asked":
            return f"asks {line.what}({values})"
        case "choosing":
            return f"is to choose among {values}"
        case "answered":
            return f"{line.what} answers {values or 'that it is done'}"
        case "failed":
            return f"gets {line.what}: {values}" if values else f"gets {line.what}"
    return f"{line.what}({values})"


def _shown(value: Any) -> str:
    match value:
        case [str(node), str(model), int(index)]:
            return str(ReplicaKey(node, model, index))
        case {"key": key, "in_flight": in_flight, "last_used_ns": last_used_ns}:
            return f"{_shown(key)} (in flight {in_flight}, last used at {last_used_ns / 1e9:.6f} s)"
        case list():
            return f"({', '.join(_shown(entry) for entry in value)})"
        case None:
            return "nothing"
    return str(value)
