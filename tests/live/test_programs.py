"""Policies that are programs on real processes and a real registry: they decide, replay, and end with the run."""

import signal
import sys
from pathlib import Path

import pytest

from sim.routing.policies.port import PolicyError
from tests.cli.command import sim, started
from tests.live.frontends import open_frontend, publish, sqlite_url
from tests.live.test_policies import SHORT
from tests.live.workers import BY_TOKENS, KEY, OTHER, live_world, run
from tests.programs.scripts import PICKERS, PYTHON, is_running, pids, program
from tests.twins import MODEL
from tests.waiting import LIMIT_S, wait_until

MACHINES = SHORT.partition("variants:")[0]

SECOND_REPLICA_TWICE = """
import json, sys
for number, line in enumerate(sys.stdin):
    index = [one["replica_index"] for one in json.loads(line)["candidates"]].index(1)
    print(json.dumps({"index": index}) if number < 2 else "nonsense", flush=True)
"""


def test_a_recorded_run_replays_with_its_program_and_none_is_left(tmp_path: Path) -> None:
    (tmp_path / "short.yaml").write_text(f"{MACHINES}router: {{policy: 'exec:./picker'}}\n")
    program(tmp_path, f"exec {PICKERS / 'power_of_two.py'}")
    options = ("--allow-code", "--time-scale", "0.1", "--record", "run.rec")

    played = sim("live", "short.yaml", *options, folder=tmp_path)
    replayed = sim("replay", "run.rec", "--allow-code", folder=tmp_path)

    assert played.returncode == 0, played.stderr
    assert (replayed.returncode, replayed.stdout.count("are identical")) == (0, 1), replayed.stdout + replayed.stderr
    assert len(pids(tmp_path)) >= 4  # One for each frontend, in each of the two.
    wait_until("the programs to end", lambda: not any(map(is_running, pids(tmp_path))))


def test_a_service_asks_a_program_and_ends_it_with_itself(tmp_path: Path) -> None:
    path = program(tmp_path, SECOND_REPLICA_TWICE, interpreter=PYTHON)

    async def story() -> None:
        router = {"policy": f"exec:{path}"}
        async with (
            live_world(service=BY_TOKENS) as world,
            open_frontend(sqlite_url(tmp_path), router=router) as frontend,
        ):
            await publish(frontend, world, KEY, OTHER)

            answers = [await frontend.predict(MODEL, "Hello", max_tokens=5) for _ in range(2)]

            assert {answer.replica for answer in answers} == {OTHER}
            with pytest.raises(PolicyError, match=r"asked for request 2 of .*, answered 'nonsense', which is not JSON"):
                await frontend.predict(MODEL, "Hello", max_tokens=5)
            assert is_running(pids(tmp_path)[0])
        assert not is_running(pids(tmp_path)[0])

    run(story)


@pytest.mark.skipif(sys.platform != "linux", reason="finds processes in /proc")
@pytest.mark.parametrize(
    "number",
    [pytest.param(signal.SIGINT, id="Ctrl-C", marks=pytest.mark.long), pytest.param(signal.SIGKILL, id="KILL")],
)
def test_a_program_that_does_not_answer_ends_with_the_command(tmp_path: Path, number: signal.Signals) -> None:
    (tmp_path / "short.yaml").write_text(f"{MACHINES}router: {{policy: 'exec:./picker'}}\n")
    program(tmp_path, "read -r line; echo asked >asked.txt; while :; do sleep 1000; done")
    process = started("live", "short.yaml", "--allow-code", "--time-scale", "0.1", folder=tmp_path)
    wait_until("a program to be asked", (tmp_path / "asked.txt").exists)

    process.send_signal(number)
    process.communicate(timeout=LIMIT_S)

    wait_until("the programs to end", lambda: not any(map(is_running, pids(tmp_path))))
