"""Policies that are programs, in simulated runs: they decide as in Python, and end with the run."""

import json
from pathlib import Path
from random import Random
from typing import Any

import pytest

from sim import load, loads
from sim.measure.result import RunResult
from sim.routing.policies.port import PolicyContext, PolicyError, ReplicaView, RequestView
from sim.scenario import ScenarioFile
from sim.study.results import run_all
from sim.study.run import run
from tests.programs.scripts import LOG, PYTHON, install, is_running, pids, program
from tests.study.three import THREE

PROGRAM = f'{THREE}router: {{policy: "exec:./picker"}}\n'


def three(folder: Path, changes: str = "") -> ScenarioFile:
    path = folder / "three.yaml"
    path.write_text(f"{PROGRAM}{changes}")
    return load(path, allow_code=True)


def same_in_python(policy: object) -> RunResult:
    return run(loads(PROGRAM.replace("exec:./picker", "mine"), policies={"mine": policy}))


FIRST_OF_THE_LEAST_USED = """
import json, sys
for line in sys.stdin:
    used = [(one["in_flight"], one["last_used_ns"]) for one in json.loads(line)["candidates"]]
    print(json.dumps({"index": used.index(min(used))}), flush=True)
"""


def first_of_the_least_used(replicas: Any) -> Any:
    return min(replicas, key=lambda one: (one.in_flight, one.last_used_ns), default=None)


def test_a_program_decides_as_the_same_policy_in_python(tmp_path: Path) -> None:
    program(tmp_path, FIRST_OF_THE_LEAST_USED, interpreter=PYTHON)

    assert run(three(tmp_path)).digest == same_in_python(first_of_the_least_used).digest


class PowerOfTwo:
    """What `power_of_two.py` does, with the draws that it has."""

    def __init__(self, context: PolicyContext) -> None:
        self.draws = Random(context.random.randrange(2**32))

    def pick(self, replicas: Any) -> Any:
        two = self.draws.sample(replicas, min(2, len(replicas)))
        return min(two, key=lambda replica: replica.in_flight, default=None)


def test_what_it_draws_belongs_to_seed_and_frontend(tmp_path: Path) -> None:
    install("power_of_two.py", tmp_path / "picker")

    assert run(three(tmp_path)).digest == same_in_python(PowerOfTwo).digest


class Log:
    """What `scripts.LOG` writes down, as Python is told it."""

    def __init__(self, context: PolicyContext) -> None:
        self.lines = LINES[context.frontend]
        self.clock = context.clock

    def pick(self, replicas: Any, request: RequestView) -> Any:
        if replicas:
            self.note(request, candidates=[replica._asdict() for replica in replicas])
        return replicas[0] if replicas else None

    def sent(self, replica: ReplicaView, request: RequestView) -> None:
        self.note(request, event="sent", replica=replica._asdict())

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        self.note(request, event="ended", replica=replica._asdict(), outcome=outcome, duration_ns=duration_ns)

    def note(self, request: RequestView, **content: Any) -> None:
        shown = {**request._asdict(), "chain": list(request.chain)}
        self.lines.append({"now_ns": self.clock.now_ns(), "request": shown, **content})


LINES: tuple[list[Any], list[Any]] = ([], [])


def test_it_reads_what_python_is_told(tmp_path: Path) -> None:
    text = LOG.replace("TOLD", '["sent", "ended"]').replace('"log.txt"', "f\"log{os.environ['SIM_FRONTEND']}.txt\"")
    program(tmp_path, text, interpreter=PYTHON)

    assert run(three(tmp_path)).digest == same_in_python(Log).digest

    for frontend, lines in enumerate(LINES):
        written = (tmp_path / f"log{frontend}.txt").read_text().splitlines()
        assert len(lines) > 200
        assert [json.loads(line) for line in written] == lines


@pytest.mark.parametrize("name", ["power_of_two.py", "round_robin.js", "least_in_flight.c"])
def test_a_shipped_picker_is_balanced_and_decides_the_same_again(tmp_path: Path, name: str) -> None:
    install(name, tmp_path / "picker")
    file = three(tmp_path)

    result = run(file)

    assert run(file).digest == result.digest
    assert result.metrics["requests.failed"] == 0
    assert result.metrics["fairness.busiest_share"] < 0.5


def test_it_decides_the_same_in_every_process(tmp_path: Path) -> None:
    install("power_of_two.py", tmp_path / "picker")

    here, shared = (run_all(three(tmp_path), seeds=range(2), jobs=jobs) for jobs in (1, 2))

    assert [one.digest for one in here.runs] == [one.digest for one in shared.runs]


def test_a_program_may_be_handed_over_by_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program(tmp_path, FIRST_OF_THE_LEAST_USED, interpreter=PYTHON)
    monkeypatch.chdir(tmp_path)
    file = loads(THREE, policies={"mine": "exec:./picker"}, allow_code=True)

    result = run(file, "mine")

    assert result.digest == run(three(tmp_path)).digest


def test_one_program_is_started_for_each_frontend_and_none_is_left(tmp_path: Path) -> None:
    program(tmp_path, FIRST_OF_THE_LEAST_USED, interpreter=PYTHON)

    run(three(tmp_path))

    assert len(pids(tmp_path)) == 2
    assert not any(map(is_running, pids(tmp_path)))


def test_a_frontend_that_crashes_comes_back_with_a_new_program(tmp_path: Path) -> None:
    program(tmp_path, FIRST_OF_THE_LEAST_USED, interpreter=PYTHON)

    run(three(tmp_path, "faults: [{kind: frontend_crash, frontend: 1, at: 5s, restart_after: 1s}]"))

    assert len(pids(tmp_path)) == 3
    assert not any(map(is_running, pids(tmp_path)))


def test_a_mistake_names_program_place_and_request(tmp_path: Path) -> None:
    program(tmp_path, "read line; echo '{\"index\": 0}'; read line; echo '{\"index\": 9}'; cat >/dev/null")

    with pytest.raises(PolicyError) as caught:
        run(three(tmp_path))

    assert str(caught.value) == (
        f"{tmp_path}/three.yaml:12:18: router.policy: exec:./picker, asked for request 2 of qwen3, answered "
        '\'{"index": 9}\'; allowed: {"index": n} with n from 0 to 1, or {"index": null}'
    )
    assert not any(map(is_running, pids(tmp_path)))
