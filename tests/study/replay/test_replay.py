"""`sim replay`: identical or not, and files that are no recordings."""

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from sim import __version__, loads
from sim.live.recording.file import read_recording, write_recording
from sim.live.recording.lines import Line, Seen, plain
from sim.routing.policies import best_replica
from sim.routing.policies.port import PolicyContext, ReplicaView
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from sim.scenario import Scenario
from sim.scenario.policies.making import given_policy
from sim.study.replay.replay import replay
from tests.cli.command import SMALL, sim

REQUEST = Request(0, "qwen3", 0, 0, 1_000, 0, 0, 5)
FIRST = Replica("a", ReplicaKey("spark", "qwen3", 0), "127.0.0.1:1", 0, 7, 100)
SECOND = Replica("b", ReplicaKey("thor", "qwen3", 0), "127.0.0.1:2", 0, 7, 100)
ASKED = [
    Line("arrived", 1_000, 0, None, "request", [plain(asdict(REQUEST))]),
    Line("asked", 1_000, 0, 0, "pick", ["qwen3", []]),
]
PROBING = [
    Line("told", 2_000, 0, None, "picked", [0, plain(FIRST), None]),
    Line("asked", 2_000, 0, 1, "within", [2_000_000_000]),
    Line("asked", 2_000, 0, 2, "health", [["spark", "qwen3", 0], "127.0.0.1:1"]),
]


def _pick(rows: list[Replica], gone: list[str], answer: Replica | None) -> list[Line]:
    seen = Seen(rows, gone)
    return [
        Line("saw", 1_000, 0, 0, "pick", [plain(seen)]),
        Line("answered", 2_000, 0, 0, "pick", [plain(answer)]),
    ]


FULL_TIE = [*ASKED, *_pick([FIRST, SECOND], [], FIRST), *PROBING]


IN_THE_REQUEST = ("router.cancellation=propagated", "router.probe.sharing=leader_owned")


def _scenario() -> Scenario:
    # Nothing goes on around the router, so that a transcript written by hand is short.
    return loads(SMALL, ["router.liveness=none", "router.failure_domain=replica", *IN_THE_REQUEST]).variants["fixed"]


def _written(folder: Path, *transcripts: list[Line]) -> Path:
    path = folder / "session.jsonl"
    write_recording(path, _scenario(), "fixed", 0.5, transcripts, __version__)
    return path


def test_what_is_written_reads_back_the_same_and_nothing_else_is_left(tmp_path: Path) -> None:
    recording = read_recording(_written(tmp_path, FULL_TIE))

    (script,) = recording.scripts
    assert script.lines == [line for line in FULL_TIE if line.kind != "saw"]
    assert script.seen == {0: Seen([FIRST, SECOND], [])}
    assert script.arrivals == {0: REQUEST}
    assert recording.scenario == _scenario()
    assert (recording.header.variant, recording.header.seed, recording.header.time_scale) == ("fixed", 3, 0.5)
    assert [path.name for path in tmp_path.iterdir()] == ["session.jsonl"]


def test_a_recording_replays_to_its_last_line(tmp_path: Path) -> None:
    recording = read_recording(_written(tmp_path, FULL_TIE))

    result = replay(recording)

    assert (result.decisions, result.first_difference) == (1, None)


def test_a_policy_that_prefers_the_later_of_two_equal_rows_differs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def last_of_the_best(replicas: Sequence[Replica]) -> Replica:
        return min(reversed(replicas), key=lambda replica: (replica.in_flight, replica.last_used_ns))

    monkeypatch.setattr(best_replica.ChooseBest, "__call__", staticmethod(last_of_the_best))
    difference = replay(read_recording(_written(tmp_path, FULL_TIE))).first_difference

    assert difference is not None
    assert (difference.recorded, difference.replayed) == (
        Line("answered", 2_000, 0, 0, "pick", [plain(FIRST)]),
        Line("answered", 2_000, 0, 0, "pick", [plain(SECOND)]),
    )


def test_an_error_that_no_port_is_known_to_raise_is_raised_again_under_its_name(tmp_path: Path) -> None:
    failed = [
        *ASKED,
        Line("failed", 2_000, 0, 0, "OverflowError", ["too much"]),
        Line("told", 2_000, 0, None, "raised", ["OverflowError"]),
    ]

    result = replay(read_recording(_written(tmp_path, failed)))

    assert result.identical


def test_a_row_that_had_gone_is_not_chosen_again(tmp_path: Path) -> None:
    best_has_gone = [*ASKED, *_pick([SECOND, FIRST], ["b"], FIRST), *PROBING]

    result = replay(read_recording(_written(tmp_path, best_has_gone)))

    assert result.identical


PICKED_BY_A_POLICY = [
    *ASKED,
    Line("choosing", 1_500, 0, 0, "pick", [plain([FIRST, SECOND])]),
    Line("told", 1_500, 0, None, "chose", ["b"]),
    Line("choosing", 1_700, 0, 0, "pick", [plain([FIRST])]),
    Line("told", 1_700, 0, None, "chose", ["a"]),
    *(line._replace(t_ns=max(1_700, line.t_ns)) for line in _pick([FIRST, SECOND], ["b"], FIRST)),
    *PROBING,
]


class ByTheClock:
    """Chooses as recorded, as long as it is asked at the recorded times and no more often."""

    def __init__(self, context: PolicyContext) -> None:
        self.clock = context.clock
        self.asked = 0

    def pick(self, replicas: Sequence[ReplicaView]) -> ReplicaView:
        self.asked += 1
        return replicas[-1] if (self.clock.now_ns(), self.asked) in [(1_500, 1), (1_700, 2)] else replicas[0]


class TheFirst(ByTheClock):
    def pick(self, replicas: Sequence[ReplicaView]) -> ReplicaView:
        return replicas[0]


@pytest.mark.parametrize(("policy", "differs"), [(ByTheClock, None), (TheFirst, ["a"])])
def test_a_policy_of_ones_own_is_asked_when_it_was_and_as_often(
    tmp_path: Path, policy: object, differs: list[str] | None
) -> None:
    recording = read_recording(_written(tmp_path, PICKED_BY_A_POLICY))
    router = recording.scenario.router.model_copy(update={"policy": given_policy(policy)})
    asked = replace(recording, scenario=recording.scenario.model_copy(update={"router": router}))

    difference = replay(asked).first_difference

    replayed = None if difference is None else difference.replayed
    assert (None if replayed is None else replayed.values) == differs


def test_code_that_does_less_than_was_recorded_differs(tmp_path: Path) -> None:
    more = [*FULL_TIE, Line("told", 2_000, 0, None, "routed", [0, ["spark", "qwen3", 0]])]

    difference = replay(read_recording(_written(tmp_path, more))).first_difference

    assert difference is not None
    assert (difference.recorded, difference.replayed) == (more[-1], None)


def test_code_that_does_more_than_was_recorded_differs(tmp_path: Path) -> None:
    difference = replay(read_recording(_written(tmp_path, FULL_TIE[:-1]))).first_difference

    assert difference is not None
    assert (difference.recorded, difference.replayed) == (None, PROBING[-1])


def test_the_earliest_difference_of_all_frontends_is_told(tmp_path: Path) -> None:
    late = [line._replace(t_ns=line.t_ns + 5_000) for line in FULL_TIE[:-1]]

    difference = replay(read_recording(_written(tmp_path, late, FULL_TIE[:-1]))).first_difference

    assert difference is not None
    assert difference.frontend == 1


def test_the_command_says_identical_with_exit_code_0(tmp_path: Path) -> None:
    path = _written(tmp_path, FULL_TIE)

    as_text, as_json = sim("replay", path), sim("replay", path, "--json")

    assert (as_text.returncode, as_json.returncode) == (0, 0)
    assert as_text.stdout == "small, variant fixed, seed 3: the decisions on all 1 requests are identical\n"
    assert json.loads(as_json.stdout) == {"decisions": 1, "identical": True, "first_difference": None}


def test_the_command_tells_the_first_difference_with_exit_code_1(tmp_path: Path) -> None:
    path = _written(tmp_path, [*ASKED, *_pick([FIRST, SECOND], [], SECOND), *PROBING])

    as_text, as_json = sim("replay", path), sim("replay", path, "--json")

    assert (as_text.returncode, as_json.returncode) == (1, 1)
    assert as_text.stdout.splitlines()[1:] == [
        "  recorded: pick answers thor#0 (in flight 0, last used at 0.000000 s)",
        "  replayed: pick answers spark#0 (in flight 0, last used at 0.000000 s)",
    ]
    assert json.loads(as_json.stdout)["first_difference"] == {
        "frontend": 0,
        "request": 0,
        "t_s": 2e-6,
        "recorded": "pick answers thor#0 (in flight 0, last used at 0.000000 s)",
        "replayed": "pick answers spark#0 (in flight 0, last used at 0.000000 s)",
    }


def test_a_recording_without_requests_checks_nothing_and_says_so_with_exit_code_5(tmp_path: Path) -> None:
    ended = sim("replay", _written(tmp_path, []))

    assert ended.returncode == 5
    assert "nothing was checked" in ended.stderr


def _damaged(line: Line) -> list[Line]:
    return [*ASKED, Line("asked", 1_000, 0, 1, "spawn", ["flight"]), line]


BAD_LINES = {
    "another kind": (Line("slept", 2_000, 0, 0, "pick", []), "1: 0: input should be 'arrived'"),  # type: ignore[arg-type]
    "time goes back": (Line("told", 999, 0, None, "routed", []), "time goes back"),
    "an answer to nothing": (
        Line("answered", 2_000, 0, 7, "pick", [None]),
        "nothing waits for this under the number 7",
    ),
    "an answer to no number": (Line("answered", 2_000, 0, None, "pick", [None]), "nothing waits for this"),
    "a pick that saw nothing": (Line("answered", 2_000, 0, 0, "pick", [None]), "pick answers without what it chose"),
    "a limit that is no limit": (Line("late", 2_000, 0, 0, "within", []), "nothing waits for this"),
    "a task that failed to begin": (Line("failed", 2_000, 0, 1, "Busy", [""]), "nothing waits for this"),
    "the same request again": (
        Line("arrived", 2_000, 0, None, "request", [plain(asdict(REQUEST))]),
        "the number of the request",
    ),
    "no request": (Line("arrived", 2_000, 1, None, "request", []), "should be"),
    "rows that are none": (Line("saw", 1_000, 0, 0, "pick", [{"rows": [{}], "gone": []}]), "field required"),
    "rows where nothing is chosen": (Line("saw", 1_000, 0, 1, "spawn", [{}]), "nothing waits for this"),
    "a fractional time": (Line("told", 2_000.5, 0, None, "x", []), "1: 1: input should be a valid integer"),  # type: ignore[arg-type]
}


@pytest.mark.parametrize(("line", "message"), BAD_LINES.values(), ids=BAD_LINES)
def test_a_line_that_cannot_stand_there_is_refused_by_its_number(tmp_path: Path, line: Line, message: str) -> None:
    ended = sim("replay", _written(tmp_path, _damaged(line)))

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"{tmp_path / 'session.jsonl'}:5: ")
    assert message in ended.stderr
    assert "allowed: a file that `sim live --record` has written" in ended.stderr


BAD_FILES = {
    "empty": b"",
    "a scenario": SMALL.encode(),
    "binary": b"\x00\xff\n\x00",
    "brackets": b"[" * 100_000,
    "an endless number": b'{"version": ' + b"9" * 10_000 + b"}",
    "not a number": b'{"format": "sim live recording", "version": NaN}',
    "an earlier version": b'{"format": "sim live recording", "version": 2}',
    "a later version": b'{"format": "sim live recording", "version": 4}',
}


@pytest.mark.parametrize("content", BAD_FILES.values(), ids=BAD_FILES)
def test_a_file_that_is_no_recording_is_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "session.jsonl"
    path.write_bytes(content)

    ended = sim("replay", path)

    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"{path}:1: ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.parametrize("name", ["missing.jsonl", "."])
def test_what_is_no_regular_file_is_refused(tmp_path: Path, name: str) -> None:
    ended = sim("replay", tmp_path / name)

    assert ended.returncode == 2
    assert "allowed: " in ended.stderr


def test_a_line_of_a_frontend_that_is_not_there_is_refused(tmp_path: Path) -> None:
    path = _written(tmp_path, FULL_TIE)
    path.write_text(path.read_text().replace('[0, ["asked"', '[1, ["asked"', 1))

    ended = sim("replay", path)

    assert ended.returncode == 2
    assert ":3: there is no frontend 1" in ended.stderr


def test_a_scenario_that_does_not_load_is_refused(tmp_path: Path) -> None:
    path = _written(tmp_path, FULL_TIE)
    path.write_text(path.read_text().replace("duration: 1m", "duration: 1x", 1))

    ended = sim("replay", path)

    assert ended.returncode == 2
    assert ":1: its scenario cannot be used: " in ended.stderr
