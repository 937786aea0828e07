"""The demands of the protocol: programs that keep all of them, and for each one that breaks it."""

from pathlib import Path

import pytest

from sim.programs.conformance import ANSWERS, DEMANDS, Finding, finding, findings
from sim.programs.process import Limits, Program
from tests.programs.scripts import PYTHON, SHELL, each_line, install, is_running, pids, program
from tests.waiting import LIMIT_S

SIZES, MANY, SAME, UNKNOWN, EVENTS, ENDS = list(DEMANDS)[1:]
FIRST = "echo '{\"index\": 0}'"


def found(demand: str, folder: Path, text: str, interpreter: str = SHELL, limit_s: float = LIMIT_S) -> Finding:
    one = finding(demand, Program(program(folder, text, interpreter=interpreter)), {}, Limits(limit_s, limit_s))
    assert one.demand == demand
    assert not any(map(is_running, pids(folder)))
    return one


BREACHES: dict[str, tuple[str, str, str, str]] = {
    "no answer": (ANSWERS, SHELL, "exit 0", "ended with exit status 0 before its input had ended"),
    "always the second": (
        SIZES,
        SHELL,
        each_line("echo '{\"index\": 1}'"),
        'asked about 1 candidate, it answered \'{"index": 1}\'; allowed: {"index": n} with n = 0, or',
    ),
    "gives up": (
        MANY,
        SHELL,
        f"for n in $(seq 500); do read -r line; {FIRST}; done",
        "ended with exit status 0 before its input had ended",
    ),
    "throws dice": (
        SAME,
        PYTHON,
        "import random, sys\nfor _ in sys.stdin: print('{\"index\": %s}' % random.choice([0, 'null']), flush=True)",
        "to line ",
    ),
    "refuses what it does not know": (
        UNKNOWN,
        SHELL,
        each_line(f"case $line in *later*) exit 3;; esac; {FIRST}"),
        "ended with exit status 3 before its input had ended",
    ),
    "is misled by what it does not know": (
        UNKNOWN,
        SHELL,
        each_line(f"case $line in *later*) echo '{{\"index\": null}}';; *) {FIRST};; esac"),
        "answered '{\"index\": null}' to a line with more keys, and '{\"index\": 0}' without them",
    ),
    "answers events": (EVENTS, SHELL, each_line('echo \'{"index": 0, "tell": ["sent"]}\''), "wrote "),
}


@pytest.mark.parametrize(("demand", "interpreter", "text", "remark"), BREACHES.values(), ids=BREACHES.keys())
def test_a_breach_is_found_by_its_demand(tmp_path: Path, demand: str, interpreter: str, text: str, remark: str) -> None:
    one = found(demand, tmp_path, text, interpreter)

    assert one.kept is False
    assert one.remark.startswith(remark)


def test_a_program_that_stays_when_its_input_has_ended_is_found(tmp_path: Path) -> None:
    def remark(limit_s: float) -> str:
        return found(ENDS, tmp_path, f"{each_line(FIRST)}; exec sleep 1000", limit_s=limit_s).remark

    # The shorter limits may pass before it has answered.
    remarks = map(remark, (0.1, 1.0, 10.0, LIMIT_S))
    assert next(one for one in remarks if one.startswith("still runs ")).endswith(" s after its input has ended")


def test_a_program_that_asks_for_no_events_is_not_judged_by_them(tmp_path: Path) -> None:
    assert found(EVENTS, tmp_path, each_line(FIRST)) == Finding(EVENTS, None, "it asks to be told of none")


def test_a_program_that_asks_for_events_goes_on_among_them(tmp_path: Path) -> None:
    answer = 'echo \'{"index": 0, "tell": ["sent", "ended"]}\''

    one = found(EVENTS, tmp_path, each_line(f"case $line in *event*) ;; *) {answer};; esac"))

    assert one == Finding(EVENTS, True, "sent and ended")


@pytest.mark.parametrize("name", ["power_of_two.py", "round_robin.js", "least_in_flight.c"])
def test_a_shipped_picker_keeps_all(tmp_path: Path, name: str) -> None:
    install(name, tmp_path / "picker")

    kept = {one.demand: one.kept for one in findings(Program(tmp_path / "picker"), {})}

    assert kept == {**dict.fromkeys(DEMANDS, True), EVENTS: None}


def test_a_program_that_does_not_answer_is_not_asked_further(tmp_path: Path) -> None:
    [one] = findings(Program(program(tmp_path, "exit 1")), {})

    assert (one.demand, one.kept) == (ANSWERS, False)


def test_it_gets_its_own_keys(tmp_path: Path) -> None:
    path = program(tmp_path, f'echo "$SIM_PARAMETERS" >keys.txt; {each_line(FIRST)}')

    finding(ANSWERS, Program(path), {"d": 3})

    assert (tmp_path / "keys.txt").read_text() == '{"d": 3}\n'
