"""Whether a program keeps to the protocol: it is asked about fleets that are made up, one demand after the other."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count, islice
from random import Random
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

from sim.clean_up import cleaned_up_by
from sim.programs.at_work import variables
from sim.programs.process import LIMITS, Limits, Program, ProgramProcess
from sim.programs.protocol import Answer, BadAnswer, ended_line, parse_answer, pick_line, sent_line, shown
from sim.routing.policies.port import PolicyClock, PolicyContext, PolicyError, ReplicaView, RequestView

_MANY = 1_000
_SOME = 100
_SIZES = (1, 2, 50, 500)
_UNKNOWN_KEYS = {"of_a_later_version": {"list": [1, "two", None], "flag": True}}


@dataclass(frozen=True, slots=True)
class Finding:
    """How a program stands to one demand of the protocol."""

    demand: str
    kept: bool | None
    """None if the demand does not apply to it."""
    remark: str
    """What was wrong, why it does not apply, or what was measured."""


def findings(program: Program, parameters: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield a finding for each demand; the program gets these keys of its own.

    A program that does not answer at all is not asked any further.
    """
    for demand in DEMANDS:
        found = finding(demand, program, parameters)
        yield found
        if demand == ANSWERS and not found.kept:
            return


def finding(demand: str, program: Program, parameters: Mapping[str, Any], limits: Limits = LIMITS) -> Finding:
    """Start the program to see how it stands to the demand."""
    try:
        return Finding(demand, True, DEMANDS[demand](partial(_at_work, program, parameters, limits)))
    except _DoesNotApply as reason:
        return Finding(demand, None, str(reason))
    except PolicyError as error:
        return Finding(demand, False, str(error))


class _DoesNotApply(Exception):
    """The program does without what the demand is about."""


_Start = Callable[[], AbstractContextManager[ProgramProcess]]


@contextmanager
def _at_work(program: Program, parameters: Mapping[str, Any], limits: Limits) -> Iterator[ProgramProcess]:
    context = PolicyContext(0, PolicyClock(lambda: 0), Random(1), parameters)
    process = ProgramProcess(program, variables(context), limits)
    with cleaned_up_by(process.kill):
        try:
            yield process
            process.end_input()
            process.finish()
        finally:
            process.close()


class _Question(NamedTuple):
    now_ns: int
    request: RequestView
    replicas: tuple[ReplicaView, ...]

    @property
    def line(self) -> bytes:
        return pick_line(*self)

    @property
    def line_of_a_later_version(self) -> bytes:
        content = json.loads(self.line)
        for part in (content, content["request"], *content["candidates"]):
            part.update(_UNKNOWN_KEYS)
        return json.dumps(content).encode() + b"\n"


def _questions() -> Iterator[_Question]:
    """Yield questions without end, about a fleet in which replicas come, go and are busy."""
    draws, fresh_rows = Random(1), count()
    rows = list(islice(fresh_rows, 4))
    for number in count():
        if draws.random() < 0.1 and len(rows) > 1:
            rows.pop(0)
        if draws.random() < 0.1:
            rows.append(next(fresh_rows))
        replicas = tuple(
            ReplicaView(f"row-{row}", f"node-{row % 8}", row // 8, draws.randrange(9), number, 8 * 10**9)
            for row in rows
        )
        yield _Question(number * 10**7, RequestView(number, "model", 100), replicas)


def _answer(process: ProgramProcess, line: bytes, candidates: int) -> Answer:
    try:
        return parse_answer(process.ask(line), candidates)
    except BadAnswer as error:
        raise process.failure(str(error)) from None


def _answers(start: _Start) -> str:
    with start() as process:
        question = next(_questions())
        _answer(process, question.line, len(question.replicas))
    return ""


def _answers_for_any_fleet(start: _Start) -> str:
    with start() as process:
        for size in _SIZES:
            replicas = tuple(ReplicaView(f"row-{row}", f"node-{row}", 0, 0, 0, 8 * 10**9) for row in range(size))
            question = _Question(0, RequestView(0, "model", 100), replicas)
            try:
                _answer(process, question.line, size)
            except PolicyError as error:
                count_in_words = "1 candidate" if size == 1 else f"{size} candidates"
                raise PolicyError(f"asked about {count_in_words}, it {error}") from None
    return ""


def _goes_on_answering(start: _Start) -> str:
    times_s = []
    with start() as process:
        for question in islice(_questions(), _MANY):
            line, began_s = question.line, perf_counter()
            _answer(process, line, len(question.replicas))
            times_s.append(perf_counter() - began_s)
    return f"{median(times_s) * 1e6:.0f} µs each (median)"


def _answers_the_same(start: _Start) -> str:
    with start() as one, start() as other:
        for number, question in enumerate(islice(_questions(), _SOME)):
            first, second = one.ask(question.line), other.ask(question.line)
            if first != second:
                raise PolicyError(f"to line {number + 1} one process answered {shown(first)}, another {shown(second)}")
    return ""


def _ignores_unknown_keys(start: _Start) -> str:
    with start() as one, start() as other:
        for question in islice(_questions(), _SOME):
            plain, later = one.ask(question.line), other.ask(question.line_of_a_later_version)
            if plain != later:
                raise PolicyError(f"answered {shown(later)} to a line with more keys, and {shown(plain)} without them")
    return ""


def _goes_on_among_events(start: _Start) -> str:
    wanted: set[str] = set()
    with start() as process:
        for question in islice(_questions(), _SOME):
            answer = _answer(process, question.line, len(question.replicas))
            wanted.update(answer.tell or ())
            if answer.index is None:
                continue
            replica = question.replicas[answer.index]
            if "sent" in wanted:
                process.tell(sent_line(question.now_ns, question.request, replica))
            if "ended" in wanted:
                process.tell(ended_line(question.now_ns + 1, question.request, replica, "completed", 1))
    if not wanted:
        raise _DoesNotApply("it asks to be told of none")
    return " and ".join(sorted(wanted, reverse=True))


def _ends_with_its_input(start: _Start) -> str:
    with start() as process:
        question = next(_questions())
        _answer(process, question.line, len(question.replicas))
        process.end_input()
        if not process.ends_by_itself(process.limits.later_s):
            raise PolicyError(f"still runs {process.limits.later_s:g} s after its input has ended")
    return ""


ANSWERS = "answers a pick"
DEMANDS: Mapping[str, Callable[[_Start], str]] = {
    ANSWERS: _answers,
    f"answers about {_SIZES[0]} to {_SIZES[-1]} candidates": _answers_for_any_fleet,
    f"answers {_MANY:,} picks in a row, while replicas come and go": _goes_on_answering,
    "answers the same to the same lines": _answers_the_same,
    "ignores keys that it does not know": _ignores_unknown_keys,
    "goes on among events": _goes_on_among_events,
    "ends when its input ends": _ends_with_its_input,
}
