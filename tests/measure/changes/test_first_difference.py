"""Where two saved runs part: the first decision that differs, with what each of the two saw."""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from sim import load
from sim.measure.changes.first_difference import Figures, first_difference
from sim.measure.saved.run_folder import MANIFEST, BadRunFolder
from sim.study.batch import Job, RunSpec, do

QUEUE = """
name: queue
duration: 60s
nodes: [{name: a, vram: 10GB}, {name: b, vram: 10GB}]
models:
  - name: m
    backend: {health: independent}
    service: {mean: 500ms, distribution: deterministic}
    replicas: [{node: a}, {node: b}]
registry: {transaction: 0s}
network: {latency: 0s}
workload: [{kind: uniform, model: m, rate: 1/s}]
"""
GIGABYTE = 10**9

Save = Callable[..., Path]


def first_of_equals(replicas: Sequence[Any]) -> Any:
    return min(replicas, key=lambda replica: replica.in_flight, default=None)


def last_of_equals(replicas: Sequence[Any]) -> Any:
    return first_of_equals(replicas[::-1])


def breaks_one_tie(replicas: Sequence[Any], request: Any) -> Any:
    """Take the first of equal replicas, but for request 5 the last."""
    return last_of_equals(replicas) if request.id == 5 else first_of_equals(replicas)


@pytest.fixture
def save(tmp_path: Path) -> Save:
    """Run a scenario with a policy and return the folder of the run."""

    def saved(name: str, policy: object, text: str = QUEUE) -> Path:
        (tmp_path / "queue.yaml").write_text(text)
        file = load(tmp_path / "queue.yaml", policies={"mine": policy})
        do(Job(file, (RunSpec("mine", 1, tmp_path / name),)))
        return tmp_path / name

    return saved


def test_two_runs_that_differ_in_one_tie_part_there_and_both_candidates_are_shown_as_each_saw_them(save: Save) -> None:
    base, new = save("base", first_of_equals), save("new", breaks_one_tie)

    parting = first_difference(base, new)

    assert parting is not None
    assert parting.what == "the pick for request 5 of m"
    assert (parting.base, parting.new) == (f"took a#0 at {parting.t_s:.6f} s", f"took b#0 at {parting.t_s:.6f} s")
    [first, second] = parting.candidates
    assert (first.replica, second.replica) == ("a#0", "b#0")
    assert first.base == first.new
    assert second.base == second.new == Figures(0, 0.0, 10 * GIGABYTE)
    assert first.base is not None
    assert first.base.in_flight == 0
    assert 0 < first.base.last_used_s < parting.t_s


def test_figures_that_the_two_saw_otherwise_stand_side_by_side(save: Save) -> None:
    def roomiest(replicas: Sequence[Any]) -> Any:
        return max(replicas, key=lambda replica: replica.available_vram_bytes)

    base = save("base", roomiest)
    new = save("new", roomiest, QUEUE.replace("{name: b, vram: 10GB}", "{name: b, vram: 20GB}"))

    parting = first_difference(base, new)

    assert parting is not None
    assert parting.what == "the pick for request 0 of m"
    shown = {one.replica: (one.base, one.new) for one in parting.candidates}
    assert shown["b#0"] == (Figures(0, 0.0, 10 * GIGABYTE), Figures(0, 0.0, 20 * GIGABYTE))


def test_a_replica_that_only_one_of_them_had_is_shown_as_such(save: Save) -> None:
    base, new = save("base", last_of_equals, QUEUE.replace(", {node: b}]", "]")), save("new", last_of_equals)

    parting = first_difference(base, new)

    assert parting is not None
    [of_a, of_b] = parting.candidates
    assert (of_a.base is None, of_b.base is None, of_b.new is None) == (False, True, False)


def test_a_pick_that_only_one_of_them_made_is_a_difference(save: Save) -> None:
    probed = QUEUE + "router: {profile: hardened, probe: {ttl: 0s}}\n"
    crash = "faults: [{kind: replica_exit, model: m, node: a, at: 20.5s}]\n"
    base, new = save("base", first_of_equals, probed), save("new", first_of_equals, probed + crash)

    parting = first_difference(base, new)

    assert parting is not None
    assert (parting.what, parting.base) == ("pick 2 for request 20 of m", "made no such pick")
    assert parting.new == f"took b#0 at {parting.t_s:.6f} s"


def test_requests_that_came_otherwise_are_told_before_what_follows_from_them(save: Save) -> None:
    base, new = save("base", first_of_equals), save("new", first_of_equals, QUEUE.replace("1/s", "2/s"))

    parting = first_difference(base, new)

    assert parting is not None
    assert parting.what.startswith("the arrival of request ")
    assert parting.base != parting.new


def test_where_all_picks_are_the_same_the_first_other_outcome_is_told(save: Save) -> None:
    leaves = "faults: [{kind: client_leaves, stage: mid_stream, at: 55s, rate: 1.0}]"
    base, new = save("base", first_of_equals), save("new", first_of_equals, QUEUE + leaves)

    parting = first_difference(base, new)

    assert parting is not None
    assert (parting.what, parting.t_s) == ("row 57 of events", 55.0)
    assert parting.new == "kind fault_struck, subject source 0, cause client_leaves"


def test_runs_that_only_took_other_times_decided_the_same(save: Save) -> None:
    base, new = (
        save("base", first_of_equals),
        save("new", first_of_equals, QUEUE.replace("500ms", "490ms")),
    )

    assert first_difference(base, new) is None


def test_without_the_table_of_choices_the_pick_is_told_all_the_same(save: Save) -> None:
    base, new = save("base", first_of_equals), save("new", breaks_one_tie)
    forget(base, "choices.parquet")

    parting = first_difference(base, new)

    assert parting is not None
    assert (parting.what, parting.candidates) == ("the pick for request 5 of m", ())


@pytest.mark.parametrize("table", ["picks.parquet", "choices.parquet"])
def test_a_damaged_table_is_refused_by_its_name(save: Save, table: str) -> None:
    base, new = save("base", first_of_equals), save("new", breaks_one_tie)
    (new / table).write_bytes(b"PAR1")

    with pytest.raises(BadRunFolder, match=f"{table} is not the file that manifest.json tells of"):
        first_difference(base, new)


def forget(folder: Path, name: str) -> None:
    manifest: Mapping[str, dict[str, object]] = json.loads((folder / MANIFEST).read_text())
    del manifest["files"][name]
    (folder / MANIFEST).write_text(json.dumps(manifest))
    (folder / name).unlink()
