"""The programs of one run: what they are told when they start, and that none outlives the run."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sim.programs.at_work import Programs
from sim.programs.policy import ProgramPolicy
from sim.programs.process import Program
from sim.routing.policies.port import PolicyError, ReplicaView, RequestView
from tests.programs.scripts import LOG, PYTHON, context, each_line, is_running, pids, program

REQUEST = RequestView(17, "m", 100)
REPLICAS = (ReplicaView("5", "a", 0, 2, 7, 10**9, 0.5), ReplicaView("9", "b", 1, 0, 8, 10**9))
STUCK = "while :; do sleep 1000; done"


def start(programs: Programs, path: Path, frontend: int = 0, seed: int = 1, **parameters: Any) -> ProgramPolicy:
    return programs.start(Program(path), context(frontend, seed, **parameters), "mine")


def lines(folder: Path) -> list[Any]:
    return [json.loads(line) for line in (folder / "log.txt").read_text().splitlines()]


def test_the_environment_says_for_whom_it_picks(tmp_path: Path) -> None:
    path = program(tmp_path, 'env | grep ^SIM_ | sort >"env.$SIM_FRONTEND"')

    with Programs() as programs:
        start(programs, path, frontend=0, seed=1, d=3, names=["a", "b"])
        start(programs, path, frontend=1, seed=2)

    assert (tmp_path / "env.0").read_text().splitlines() == [
        "SIM_FRONTEND=0",
        'SIM_PARAMETERS={"d": 3, "names": ["a", "b"]}',
        "SIM_PROTOCOL=1",
        f"SIM_SEED={Random(1).randrange(2**32)}",
    ]
    assert (tmp_path / "env.1").read_text().splitlines()[-1] == f"SIM_SEED={Random(2).randrange(2**32)}"


def test_it_is_started_in_its_folder_with_our_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OF_THE_USER", "a b")
    path = program(tmp_path, 'pwd -P >where.txt; echo "$OF_THE_USER" >>where.txt')

    with Programs() as programs:
        start(programs, path)

    assert (tmp_path / "where.txt").read_text().splitlines() == [str(tmp_path.resolve()), "a b"]


def test_a_pick_shows_time_request_and_candidates(tmp_path: Path) -> None:
    path = program(tmp_path, LOG.replace("TOLD", "[]"), interpreter=PYTHON)

    with Programs() as programs:
        start(programs, path).pick(REPLICAS, REQUEST)

    shown = {"node": "a", "replica_index": 0, "in_flight": 2, "last_used_ns": 7}
    [line] = lines(tmp_path)
    assert line["now_ns"] == 42
    assert line["request"] == {"id": 17, "model": "m", "prompt_tokens": 100, "chain": []}
    assert line["candidates"][0] == {"id": "5", **shown, "available_vram_bytes": 10**9, "capacity": 0.5}
    assert [candidate["id"] for candidate in line["candidates"]] == ["5", "9"]


@pytest.mark.parametrize("told", [[], ["sent"], ["ended"], ["sent", "ended"]], ids=str)
def test_it_is_told_of_the_events_that_it_asks_for(tmp_path: Path, told: list[str]) -> None:
    path = program(tmp_path, LOG.replace("TOLD", str(told)), interpreter=PYTHON)

    with Programs() as programs:
        policy = start(programs, path)
        policy.pick(REPLICAS, REQUEST)
        policy.sent(REPLICAS[0], REQUEST)
        policy.ended(REPLICAS[0], REQUEST, "completed", 3 * 10**9)
        policy.pick(REPLICAS, REQUEST)

    events = lines(tmp_path)[1:-1]
    assert [event["event"] for event in events] == told
    assert all((event["request"]["id"], event["replica"]["id"]) == (17, "5") for event in events)
    assert [(event["outcome"], event["duration_ns"]) for event in events if event["event"] == "ended"] == [
        ("completed", 3 * 10**9) for event in told if event == "ended"
    ]


def test_no_program_outlives_the_block_however_it_behaves(tmp_path: Path) -> None:
    patient, stuck = program(tmp_path, "cat", name="patient"), program(tmp_path, STUCK, name="stuck")

    with Programs() as programs:
        start(programs, patient, frontend=0)
        start(programs, stuck, frontend=1)

    assert not any(map(is_running, pids(tmp_path)))


def test_an_error_in_the_block_ends_them_at_once(tmp_path: Path) -> None:
    path = program(tmp_path, "cat >/dev/null; echo farewell")

    def fail() -> None:
        with Programs() as programs:
            start(programs, path)
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert not any(map(is_running, pids(tmp_path)))


def test_a_frontend_that_comes_back_has_a_new_program_and_the_old_one_has_ended(tmp_path: Path) -> None:
    path = program(tmp_path, each_line("echo '{\"index\": 0}'"))

    with Programs() as programs:
        start(programs, path).pick(REPLICAS, REQUEST)
        start(programs, path).pick(REPLICAS, REQUEST)
        running = [is_running(pid) for pid in pids(tmp_path)]

    assert running == [False, True]


def test_a_program_that_was_ended_is_told_nothing_more(tmp_path: Path) -> None:
    path = program(tmp_path, each_line('echo \'{"index": 0, "tell": ["ended"]}\''))
    with Programs() as programs:
        policy = start(programs, path)
        policy.pick(REPLICAS, REQUEST)

    policy.ended(REPLICAS[0], REQUEST, "cancelled", 0)


def test_of_several_that_write_unasked_one_is_told_and_all_end(tmp_path: Path) -> None:
    path = program(tmp_path, "cat >/dev/null; echo farewell")

    def run() -> None:
        with Programs() as programs:
            for frontend in range(3):
                start(programs, path, frontend)

    with pytest.raises(PolicyError, match=r"^mine wrote 'farewell' without being asked"):
        run()

    assert not any(map(is_running, pids(tmp_path)))
