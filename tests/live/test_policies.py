"""Policies of one's own on real processes and a real registry: they decide, are recorded, replay, and may fail."""

import json
import shutil
from pathlib import Path

import pytest

from sim import read, run
from sim.measure.result import RunResult
from tests.cli.command import sim

PICKERS = Path(__file__).parents[1] / "pickers.py"
SHORT = """
name: short
duration: 10s
nodes: [{name: n0}, {name: n1}, {name: n2, speed: 4}]
models:
  - name: qwen3
    backend: {workers: 8, health: independent}
    service: {mean: 300ms, distribution: deterministic}
    replicas: [{node: n0}, {node: n1}, {node: n2}]
frontends: 2
workload: [{kind: burst, model: qwen3, at: 500ms, requests: 12, every: 3s}]
variants:
  first: {frontends: 1, router: {policy: ./my_picker.py:first_row}}
  beyond: {frontends: 1, router: {policy: ./my_picker.py:beyond}}
  fastest: {frontends: 1, router: {policy: ./my_picker.py:fastest}}
  mixed:
    router: {policy: ./my_picker.py:PowerOfTwo}
    faults:
      - {kind: mixed_policy, frontend: 1, router: {policy: ./my_picker.py:ForgetfulRoundRobin, pick: locked}}
"""

# One user, so that no request sees another one, however slow the machine is.
PROMPTS = """
name: prompts
seed: 1
duration: 20s
nodes: [{name: n0}, {name: n1}]
models:
  - name: qwen3
    backend: {health: independent, prompt_cache: 40}
    service: {prefill: 1000/s, decode: 1000/s}
    replicas: [{node: n0}, {node: n1}]
registry: {transaction: 0s}
network: {latency: 0s}
router: {profile: hardened, policy: prefix_cache}
workload:
  - kind: closed
    model: qwen3
    users: 1
    prompt_tokens: 200
    output_tokens: 20
    prompts: {families: 12, shared_blocks: 8, own_blocks: 2}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copy(PICKERS, tmp_path / "my_picker.py")
    (tmp_path / "short.yaml").write_text(SHORT)
    return tmp_path


def live(folder: Path, variant: str, *options: str) -> tuple[int, str, str]:
    arguments = ("live", "short.yaml", "--variant", variant, "--time-scale", "0.1", "--json", "--allow-code", *options)
    done = sim(*arguments, folder=folder)
    return done.returncode, done.stdout, done.stderr


# In the short form, the recorded runs show policies on SQLite.
@pytest.mark.parametrize(
    ("variant", "replica", "database_url"),
    [
        ("fastest", "n2#0", "postgresql"),
        pytest.param("first", "n0#0", "postgresql", marks=pytest.mark.long),
        pytest.param("first", "n0#0", "sqlite", marks=pytest.mark.long),
    ],
    indirect=["database_url"],
)
def test_a_policy_that_takes_the_fastest_or_the_first_alone_sends_everything_there_on_either_database(
    folder: Path, database_url: str, variant: str, replica: str
) -> None:
    code, document, told = live(folder, variant, "--registry", database_url)

    assert code == 0, told
    metrics = json.loads(document)["runs"][0]["metrics"]
    assert metrics["requests.completed"] == metrics["requests.offered"]
    assert metrics[f"replicas.{replica}.share"] == 1


# In the short form, a run with a program is recorded and replayed.
@pytest.mark.long
def test_a_recorded_run_replays_with_the_policy_of_each_frontend_and_from_another_folder(
    folder: Path, database_url: str
) -> None:
    (folder / "elsewhere").mkdir()
    code, _, told = live(folder, "mixed", "--registry", database_url, "--record", "elsewhere/run.rec")
    assert code == 0, told

    refused = sim("replay", "elsewhere/run.rec", folder=folder)
    same = sim("replay", "elsewhere/run.rec", "--allow-code", folder=folder)
    text = (folder / "my_picker.py").read_text()
    (folder / "my_picker.py").write_text(
        text.replace("len(there)]", "len(there) - 1]").replace("return min(two", "return max(two")
    )
    other = sim("replay", "elsewhere/run.rec", "--allow-code", folder=folder)

    assert refused.returncode == 2
    assert "allowed: with --allow-code" in refused.stderr
    assert (same.returncode, same.stdout.count("are identical")) == (0, 1), same.stdout + same.stderr
    assert other.returncode == 1
    assert "chose(" in other.stdout


def test_a_mistake_in_a_policy_ends_a_live_run_in_one_line_and_no_recording_is_left(folder: Path) -> None:
    code, document, told = live(folder, "beyond", "--record", "run.rec")

    assert (code, document) == (2, "")
    [line] = told.splitlines()
    assert line.startswith("short.yaml:14:43: router.policy: ./my_picker.py:beyond raised IndexError: ")
    assert line.endswith("(my_picker.py:38) for request 0 of qwen3")
    assert not (folder / "run.rec").exists()


def test_prefix_cache_and_the_caches_of_prompts_do_the_same_live_as_in_a_simulation(tmp_path: Path) -> None:
    (tmp_path / "prompts.yaml").write_text(PROMPTS)

    done = sim("live", "prompts.yaml", "--time-scale", "0.1", "--out", "live", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    simulated = found_in_caches(run(tmp_path / "prompts.yaml"))
    live = found_in_caches(read(tmp_path / "live" / "prompts" / "default" / "seed-1"))

    assert {0, 8} < {blocks for _, blocks in simulated}  # some prompts are known, and some not, or in part
    assert live == simulated[: len(live)]
    assert live


def found_in_caches(result: RunResult) -> list[tuple[str, int]]:
    """Return of each request where it went, and how many blocks of its prompt were cached there."""
    events = result.events[result.events["kind"] == "blocks_recalled"]
    went_to = result.requests["replica"]
    return [(went_to[number], blocks) for number, blocks in zip(events["request"], events["blocks"], strict=True)]


# Each of two lists is read at the start, and written and read every 30 s until its requests have ended.
LISTS = """
name: lists
duration: 10s
nodes: [{name: n0}, {name: n1}]
models:
  - name: qwen3
    backend: {workers: 8, health: independent}
    service: {mean: 100ms, distribution: deterministic}
    replicas: [{node: n0}, {node: n1}]
frontends: 2
router: {profile: hardened, probe: {timeout: 5m}, replica_list: {refresh: 30s, counts: own_in_flight}}
workload: [{kind: uniform, model: qwen3, rate: 4/s}]
"""


def test_frontends_pick_from_lists_of_their_own_live_as_well_and_write_their_last_counts(tmp_path: Path) -> None:
    (tmp_path / "lists.yaml").write_text(LISTS)

    done = sim("live", "lists.yaml", "--time-scale", "0.02", "--json", "--record", "run.rec", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    replayed = sim("replay", "run.rec", folder=tmp_path)

    metrics = json.loads(done.stdout)["runs"][0]["metrics"]
    assert metrics["requests.completed"] == metrics["requests.offered"] == 39
    assert metrics["registry.transactions"] < 39  # 5 for each request without lists
    assert metrics["in_flight.final"] == 0
    assert replayed.returncode == 0, replayed.stdout + replayed.stderr
