"""`sim calibrate`: it measures what it says, leaves nothing behind, and prints what a scenario file can hold."""

import asyncio
import json
import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from sim import loads
from sim.cli.commands.calibrate import fragment
from sim.live.cluster.calibrate import Effort, calibrate
from sim.live.cluster.calibration import Calibration, Sample, machine_facts
from sim.live.registry.connection import connect
from sim.live.runtime import AsyncioRuntime
from sim.routing.errors import Unavailable
from sim.routing.fleet import Cooldown, NodeFacts
from sim.routing.replica import ReplicaKey
from sim.scenario.text.units import parse_duration_ns
from tests.calibrations import made_up
from tests.cli.command import SMALL, command, environment, sim
from tests.live.workers import run, wait_until_gone
from tests.waiting import LIMIT_S, wait_until

FEW = Effort(requests=5, crowds=2, installs=1)
MARK = "SIM_TEST_CALIBRATION"


@pytest.mark.parametrize(
    ("calls", "effort"),
    [(1, Effort(1, 1, 1)), (6, Effort(6, 2, 1)), (100, Effort()), (101, Effort(101, 21, 6))],
)
def test_what_takes_longer_is_measured_less_often_but_at_least_once(calls: int, effort: Effort) -> None:
    assert Effort.of_calls(calls) == effort


@pytest.mark.parametrize(("percent", "expected"), [(1, 10), (10, 10), (11, 20), (50, 50), (90, 90), (99, 100)])
def test_a_percentile_is_the_smallest_that_so_many_do_not_exceed(percent: int, expected: int) -> None:
    sample = Sample(tuple(range(10, 101, 10)))

    found = sample.percentile_ns(percent)

    assert found == expected


def test_values_are_medians_in_whole_microseconds_and_a_message_goes_one_way() -> None:
    measured = _made_up(touch_ns=1_234_567, round_trip_ns=700_900, install_ns=812_000_001)

    settings = measured.settings()

    assert settings == {
        "registry.transaction": "1235us",
        "registry.pick": "2346us",
        "network.latency": "350us",
        "backend.install_time": "812ms",
    }


def test_a_fragment_can_be_appended_to_a_scenario() -> None:
    text = fragment(_made_up(touch_ns=1_234_567, round_trip_ns=700_900, install_ns=812_000_001), machine_facts())

    file = loads(SMALL + text)

    scenario = file.variants["fixed"]
    assert (scenario.registry.transaction_ns, scenario.registry.pick_ns) == (1_235_000, 2_346_000)
    assert scenario.network.latency_ns == 350_000


def test_the_lines_for_the_command_line_set_every_value() -> None:
    text = fragment(_made_up(touch_ns=1_234_567, round_trip_ns=700_900, install_ns=812_000_001), machine_facts())

    file = loads(SMALL, re.findall(r"^#   --set (\S+)$", text, flags=re.MULTILINE))

    scenario = file.variants["fixed"]
    assert (scenario.registry.transaction_ns, scenario.registry.pick_ns) == (1_235_000, 2_346_000)
    assert scenario.network.latency_ns == 350_000
    assert scenario.models[0].backend.install_time_ns == 812_000_000


@pytest.mark.parametrize("database_url", ["postgresql", pytest.param("sqlite", marks=pytest.mark.long)], indirect=True)
def test_what_a_registry_in_use_holds_stays_as_it_was(database_url: str) -> None:
    key = ReplicaKey("node-1", "m", 0)

    async def story() -> None:
        async with connect(database_url, AsyncioRuntime()) as registry:
            await registry.reset()
            await registry.register_node(NodeFacts(key.node))
            await registry.publish(key, "127.0.0.1:1", in_flight=3)
            await registry.set_cooldown(key.model, Cooldown(3, 10**18))
            before = await registry.fleet()

            measured = await calibrate(database_url, FEW)

            assert await registry.fleet() == before
            assert measured.database == registry.engine.dialect.name
            counts = {name: len(sample.durations_ns) for name, sample in measured.samples().items()}
            assert counts == {
                "touch": 5,
                "crowded_touch": 2,
                "pick": 5,
                "crowded_pick": 2,
                "lock_taken": 5,
                "lock_freed": 5,
                "round_trip": 5,
                "crowded_round_trip": 2,
                "connect": 1,
                "wake_up": 5,
                "turnaround": 2,
                "install": 1,
                "stop": 1,
            }
            # SQLite lets one transaction write at a time: each pick begins when the one before it has ended.
            assert len(measured.late_picks) == (0 if measured.database == "sqlite" else 2)

    run(story)


def test_standard_output_and_the_file_hold_the_fragment_and_nothing_else(tmp_path: Path) -> None:
    done = sim("calibrate", "--out", "here.yaml", "--calls", "1", folder=tmp_path)

    assert done.returncode == 0
    assert (tmp_path / "here.yaml").read_text() == done.stdout
    assert loads(SMALL + done.stdout).variants["fixed"].registry.transaction_ns > 0


def test_json_is_one_document_with_every_value_and_percentile(tmp_path: Path) -> None:
    document = json.loads(sim("calibrate", "--json", "--calls", "6", folder=tmp_path).stdout)

    assert all(parse_duration_ns(value) > 0 for value in document["settings"].values())
    assert {"touch", "pick", "round_trip", "install", "crowded_pick", "wake_up"} <= document["measured"].keys()
    figures = document["measured"]["touch"]
    assert figures["count"] == 6
    assert figures["p10_s"] <= figures["p50_s"] <= figures["p90_s"] <= figures["p99_s"]


@pytest.mark.parametrize(
    ("registry", "told"),
    [
        ("nonsense", "allowed: sqlite, postgres, or a URL"),
        ("mysql://host/db", "neither sqlite nor postgresql"),
        ("sqlite:////nowhere/at/all/registry.db", "cannot be opened"),
        ("postgresql://me:secret@127.0.0.1:1/db", "cannot be opened"),
    ],
)
def test_a_registry_that_cannot_be_used_is_told_in_a_line_and_exit_code_2(registry: str, told: str) -> None:
    done = sim("calibrate", "--registry", registry)

    assert (done.returncode, done.stdout) == (2, "")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_a_registry_that_cannot_be_opened_is_unavailable() -> None:
    with pytest.raises(Unavailable, match="cannot be opened"):
        asyncio.run(calibrate("postgresql://127.0.0.1:1/db", FEW))


def test_a_file_that_exists_is_kept(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SMALL)

    done = sim("calibrate", "--out", "mine.yaml", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert (tmp_path / "mine.yaml").read_text() == SMALL


def test_a_file_that_cannot_be_is_refused_before_anything_is_measured(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text(SMALL)

    done = sim("calibrate", "--out", "mine.yaml/new.yaml", folder=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "--out: mine.yaml is not a folder; allowed: a new file in a folder\n"


@pytest.mark.parametrize(
    ("number", "code"),
    [
        pytest.param(signal.SIGINT, 130, id="Ctrl-C"),
        pytest.param(signal.SIGTERM, 143, id="TERM", marks=pytest.mark.long),
    ],
)
def test_a_signal_leaves_no_worker_and_no_file(tmp_path: Path, number: signal.Signals, code: int) -> None:
    changes = {MARK: str(tmp_path), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        command("calibrate"), env=environment(changes), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as calibration:
        wait_until("a worker", lambda: _workers(tmp_path))
        workers = _workers(tmp_path)

        calibration.send_signal(number)
        output, _ = calibration.communicate(timeout=LIMIT_S)

    assert (calibration.returncode, output) == (code, "")
    wait_until_gone(workers + _workers(tmp_path))
    assert list(tmp_path.iterdir()) == []


def _made_up(touch_ns: int, round_trip_ns: int, install_ns: int) -> Calibration:
    return made_up(touch=(1, touch_ns, 10**12), pick=2_345_678, round_trip=round_trip_ns, install=(install_ns, 10**12))


def _workers(mark: Path) -> list[int]:
    """Return the worker processes that carry the mark in their environment."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit() and _carries(entry, mark)]


def _carries(process: Path, mark: Path) -> bool:
    try:
        command_line, variables = (process / "cmdline").read_bytes(), (process / "environ").read_bytes()
    except OSError:
        return False
    return b"worker_process" in command_line and os.fsencode(f"{MARK}={mark}") in variables.split(b"\0")
