"""Policies that are programs, on the command line: what is told of them, and that none outlives the command."""

import json
import signal
import sys
from pathlib import Path

import pytest

from sim.cli.process.exits import ExitCode
from tests.cli.command import SMALL, sim, sim_json, started, written
from tests.programs.scripts import PYTHON, each_line, is_running, pids, program
from tests.waiting import LIMIT_S, wait_until

FIRST = each_line("echo '{\"index\": 0}'")
BEYOND = each_line("echo '{\"index\": 2}'")
STUCK = "read -r line; echo asked >>asked.txt; while :; do sleep 1000; done"
RESTLESS = """
import os, sys
for line in sys.stdin:
    print('{"index": %d}' % (int(open("pids.txt").read().split().index(str(os.getpid()))) % 2), flush=True)
"""
"""Takes the first replica in the first run, and the second one in the next."""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.yaml").write_text(SMALL.replace("fixed: {}", 'mine: {router: {policy: "exec:./picker"}}'))
    return tmp_path


MINE = ("mine.yaml", "--allow-code", "--variant", "mine")


def test_without_the_flag_it_is_not_started(folder: Path) -> None:
    program(folder, FIRST)

    done = sim("run", "mine.yaml", "--variant", "mine", folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    assert "found 'exec:./picker', which runs code of your own; allowed: with --allow-code" in done.stderr
    assert pids(folder) == []


def test_a_mistake_in_any_process_is_told_in_one_line_and_nothing_of_its_run_is_written(folder: Path) -> None:
    program(folder, BEYOND)

    done = sim("run", *MINE, "--out", "out", "--reps", "2", "--jobs", "2", folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    assert done.stderr == (
        "mine.yaml:9:73: router.policy: exec:./picker, asked for request 0 of qwen3, answered '{\"index\": 2}'; "
        'allowed: {"index": n} with n from 0 to 1, or {"index": null}\n'
    )
    assert written(folder / "out") == []
    assert not any(map(is_running, pids(folder)))


def test_a_plan_that_was_written_finds_the_program_from_where_it_lies(folder: Path) -> None:
    program(folder, FIRST)
    first = sim_json(*MINE, "--out", "out", folder=folder)

    again = sim_json("out/small/mine/seed-3/plan.yaml", "--allow-code", folder=folder)

    assert again["runs"][0]["digest"] == first["runs"][0]["digest"]


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
@pytest.mark.parametrize(
    ("number", "code", "jobs"),
    [(signal.SIGINT, 130, "1"), (signal.SIGTERM, 143, "2")],
    ids=["Ctrl-C", "TERM, and in the processes of others"],
)
def test_a_signal_ends_a_program_that_does_not_answer(
    folder: Path, number: signal.Signals, code: int, jobs: str
) -> None:
    program(folder, STUCK)
    process = started("run", *MINE, "--reps", jobs, "--jobs", jobs, folder=folder)
    asked = folder / "asked.txt"
    wait_until("the programs to be asked", lambda: asked.exists() and len(asked.read_text().split()) == int(jobs))

    process.send_signal(number)
    output, errors = process.communicate(timeout=LIMIT_S)

    assert (process.returncode, output, errors) == (code, "", "sim: interrupted\n")
    wait_until("the programs to end", lambda: not any(map(is_running, pids(folder))))


def test_a_run_that_is_made_twice_has_to_decide_the_same(folder: Path) -> None:
    program(folder, FIRST)

    done = sim("run", *MINE, "--check", folder=folder)

    assert (done.returncode, done.stderr) == (ExitCode.HELD, "")
    assert len(pids(folder)) == 2


def test_what_depends_on_more_than_the_seed_is_found_and_the_first_other_decision_is_named(folder: Path) -> None:
    program(folder, RESTLESS, interpreter=PYTHON)

    done = sim("run", *MINE, "--check", folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.NOT_THE_SAME, "")
    first, *_ = lines = done.stderr.splitlines()
    assert first.startswith("small, variant mine, seed 3 decided otherwise the second time: ")
    assert [line.split(" at ")[0] for line in lines[2:4]] == [
        "  the first time  took spark#0",
        "  the second time took thor#0",
    ]


def test_a_program_that_keeps_the_protocol_passes_the_check(folder: Path) -> None:
    program(folder, FIRST)

    done = sim("check-protocol", "./picker", folder=folder)

    lines = done.stdout.splitlines()
    assert (done.returncode, done.stderr) == (ExitCode.HELD, "")
    assert lines[0] == "✓ answers a pick"
    assert "- goes on among events: it asks to be told of none" in lines
    assert len(lines) == 7


def test_a_program_that_breaks_it_is_told_where_and_gets_exit_code_1(folder: Path) -> None:
    program(folder, "exit 3")

    done = sim("check-protocol", "picker", "--json", folder=folder)

    assert done.returncode == ExitCode.BROKEN
    assert json.loads(done.stdout) == {
        "program": "picker",
        "rows": [
            {
                "demand": "answers a pick",
                "kept": False,
                "remark": "ended with exit status 3 before its input had ended",
            }
        ],
    }


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere",), "nowhere is no file; allowed: a program, as in sim check-protocol ./my_picker\n"),
        (("text",), "text may not be executed; allowed: a file after chmod +x\n"),
        (("picker", "--parameters", "d: 3"), "--parameters: found 'd: 3', which is not JSON: "),
        (
            ("picker", "--parameters", "[3]"),
            "--parameters: found '[3]'; allowed: a JSON object, such as ",
        ),
    ],
)
def test_a_check_of_what_is_no_program_is_refused(folder: Path, arguments: tuple[str, ...], told: str) -> None:
    program(folder, FIRST)
    (folder / "text").write_text("no program")

    done = sim("check-protocol", *arguments, folder=folder)

    assert (done.returncode, done.stdout) == (ExitCode.BAD_INPUT, "")
    assert done.stderr.startswith(told)
