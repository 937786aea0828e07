"""One program at work: what it may answer, and which words are found for each thing that it may do wrong."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from sim.programs.at_work import Programs
from sim.programs.policy import ProgramPolicy
from sim.programs.process import Limits, Program
from sim.routing.policies.port import PolicyError, ReplicaView, RequestView
from tests.programs.scripts import context, each_line, is_running, pids, program
from tests.waiting import LIMIT_S

REQUEST = RequestView(17, "m", 100)
REPLICAS = tuple(ReplicaView(str(row), f"n{row}", 0, row, 5, 8 * 10**9) for row in range(3))


@contextmanager
def started(folder: Path, text: str, limit_s: float = LIMIT_S) -> Iterator[ProgramPolicy]:
    with Programs(Limits(limit_s, limit_s)) as programs:
        yield programs.start(Program(program(folder, text)), context(), "mine")


ANSWERS: dict[str, tuple[str, ReplicaView | None]] = {
    "an index": ('{"index": 1}', REPLICAS[1]),
    "none of them": ('{"index": null}', None),
    "without spaces": ('{"index":2}', REPLICAS[2]),
    "with notes of its own": ('{"index": 0, "because": "it is idle"}', REPLICAS[0]),
}


@pytest.mark.parametrize(("answer", "picked"), ANSWERS.values(), ids=ANSWERS.keys())
def test_the_answer_is_the_index_of_a_candidate(tmp_path: Path, answer: str, picked: ReplicaView | None) -> None:
    with started(tmp_path, each_line(f"echo '{answer}'")) as policy:
        assert [policy.pick(REPLICAS, REQUEST) for _ in range(3)] == [picked] * 3


def test_it_is_not_asked_where_there_is_nothing_to_pick(tmp_path: Path) -> None:
    with started(tmp_path, each_line("echo would be refused")) as policy:
        assert policy.pick((), REQUEST) is None


ALLOWED = 'allowed: {"index": n} with n from 0 to 2, or {"index": null}'
MISTAKES = {
    "no JSON": (each_line("echo hello"), f"answered 'hello', which is not JSON; {ALLOWED}"),
    "nothing but an end of line": (each_line("echo"), f"answered '', which is not JSON; {ALLOWED}"),
    "no UTF-8": (each_line(r"printf '\377\n'"), "answered '\\\\xff', which is not JSON; "),
    "nested too deeply": (each_line("head -c 60000 /dev/zero | tr '\\0' [; echo"), "answered '[[[["),
    "a list": (each_line("echo '[1]'"), f"answered '[1]', which has no \"index\"; {ALLOWED}"),
    "no index": (each_line("echo '{\"idx\": 1}'"), 'answered \'{"idx": 1}\', which has no "index"; '),
    "an index too high": (each_line("echo '{\"index\": 3}'"), f"answered '{{\"index\": 3}}'; {ALLOWED}"),
    "an index below 0": (each_line("echo '{\"index\": -1}'"), "answered '{\"index\": -1}'; allowed: "),
    "a fraction": (each_line("echo '{\"index\": 1.0}'"), "answered '{\"index\": 1.0}'; allowed: "),
    "a truth value": (each_line("echo '{\"index\": true}'"), "answered '{\"index\": true}'; allowed: "),
    "text": (each_line('echo \'{"index": "1"}\''), 'answered \'{"index": "1"}\'; allowed: '),
    "unknown events": (
        each_line('echo \'{"index": 0, "tell": ["end"]}\''),
        'answered \'{"index": 0, "tell": ["end"]}\'; allowed as "tell": a list of "sent" and "ended"',
    ),
    "two lines": (each_line("printf 'a\\nb\\n'"), "wrote 'a\\nb'; allowed: one line for each pick"),
    "a line too long": ("head -c 70000 /dev/zero | tr '\\0' x; read line", "wrote 'xxxx"),
    "an early end": ("exit 3", "ended with exit status 3 before its input had ended"),
    "a crash": ("read line; kill -SEGV $$", "was ended by SIGSEGV before its input had ended"),
    "words of farewell": (
        "read line; echo 'no such luck' >&2; exit 1",
        "ended with exit status 1 before its input had ended; its standard error ends with:\n    no such luck",
    ),
}


@pytest.mark.parametrize(("text", "told"), MISTAKES.values(), ids=MISTAKES.keys())
def test_a_mistake_is_told_and_ends_the_program(tmp_path: Path, text: str, told: str) -> None:
    with pytest.raises(PolicyError) as caught, started(tmp_path, text) as policy:
        policy.pick(REPLICAS, REQUEST)

    assert str(caught.value).startswith(told)
    assert len(str(caught.value)) < 300
    assert not any(map(is_running, pids(tmp_path)))


def test_a_program_that_never_answers_is_ended_at_the_limit(tmp_path: Path) -> None:
    with (
        pytest.raises(PolicyError, match=r"^has not answered for 0.1 s; does it flush its output after each line\?$"),
        started(tmp_path, "cat >/dev/null", limit_s=0.1) as policy,
    ):
        policy.pick(REPLICAS, REQUEST)

    assert not any(map(is_running, pids(tmp_path)))


def test_a_program_may_take_longer_until_its_first_answer(tmp_path: Path) -> None:
    path = program(tmp_path, "sleep 0.3; read line; echo '{\"index\": 1}'; cat >/dev/null")
    with Programs(Limits(first_s=LIMIT_S, later_s=0.1)) as programs:
        policy = programs.start(Program(path), context(), "mine")

        assert policy.pick(REPLICAS, REQUEST) == REPLICAS[1]
        with pytest.raises(PolicyError, match=r"^has not answered for 0.1 s"):
            policy.pick(REPLICAS, REQUEST)


def test_a_line_that_does_not_end_is_shown(tmp_path: Path) -> None:
    def told(limit_s: float) -> str:
        with (
            pytest.raises(PolicyError) as caught,
            started(tmp_path, "read line; printf '{\"index\": 0}'; cat >/dev/null", limit_s) as policy,
        ):
            policy.pick(REPLICAS, REQUEST)
        return str(caught.value)

    # The shorter limits may pass before it has written anything.
    texts = map(told, (0.01, 0.1, 1.0, 10.0, LIMIT_S))
    assert next(text for text in texts if "; it has written '{\"index\": 0}', which is no whole line; " in text)


def test_a_program_that_does_not_read_is_ended_at_the_limit(tmp_path: Path) -> None:
    more_than_fits = tuple(ReplicaView("1", "n" * 1000, 0, 0, 0, 0) for _ in range(1000))

    with (
        pytest.raises(PolicyError, match=r"^has not read its input for 0.1 s$"),
        started(tmp_path, "exec sleep 1000", limit_s=0.1) as policy,
    ):
        policy.pick(more_than_fits, REQUEST)


def test_a_program_that_writes_more_than_it_is_asked_never_comes_through(tmp_path: Path) -> None:
    answer = "echo '{\"index\": 0}'"

    with (
        pytest.raises(PolicyError, match=r"wrote '{\"index\": 0}.*; allowed: one line for each pick$"),
        started(tmp_path, f"{answer}; {each_line(answer)}") as policy,
    ):
        policy.pick(REPLICAS, REQUEST)


def test_what_it_writes_when_its_input_has_ended_is_refused_too(tmp_path: Path) -> None:
    with (
        pytest.raises(PolicyError, match=r"^mine wrote 'done' without being asked; allowed: one line for each pick$"),
        started(tmp_path, "cat >/dev/null; echo done"),
    ):
        pass


def test_a_program_that_cannot_be_started_says_why(tmp_path: Path) -> None:
    (tmp_path / "picker").write_text("no program")
    (tmp_path / "picker").chmod(0o755)

    with Programs() as programs, pytest.raises(PolicyError, match=r"^mine cannot be started: Exec format error$"):
        programs.start(Program(tmp_path / "picker"), context(), "mine")
