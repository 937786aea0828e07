"""`choices.parquet`: what each pick was made from, as it saw it."""

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from sim import load, run
from sim.measure.saved import choices as module
from sim.measure.saved.choices import ChoiceRecorder
from sim.measure.saved.run_folder import read_choices
from sim.routing.policies.port import ReplicaView
from sim.study.batch import Job, RunSpec, do

BUSY = """
name: busy
duration: 60s
nodes: [{name: a}, {name: b, speed: 0.5}, {name: late}]
models:
  - name: m
    backend: {health: independent}
    service: {mean: 1s, distribution: exponential}
    replicas: [{node: a}, {node: b}, {node: late, ready_at: 20s}]
registry: {pick: 0s}
workload: [{kind: poisson, model: m, rate: 2/s}]
"""


def saved(text: str, folder: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the tables of picks and choices of a run that was saved."""
    scenario = folder / "scenario.yaml"
    scenario.write_text(text)
    do(Job(load(scenario), (RunSpec("default", 1, folder / "run"),)))
    return pd.read_parquet(folder / "run/picks.parquet"), pd.read_parquet(folder / "run/choices.parquet")


def best_of(rows: pd.DataFrame) -> str:
    """The policy of LocalAI, written once more; the first of equal rows wins, as the sort is stable."""
    order = rows.assign(free=-rows["available_vram_bytes"])
    best = order.sort_values(["in_flight", "last_used_s", "free"], kind="stable")
    return str(best["replica"].iloc[0])


def test_every_pick_follows_from_the_figures_that_it_saw(tmp_path: Path) -> None:
    picks, choices = saved(BUSY, tmp_path)

    assert len(picks) > 50
    assert {pick: best_of(rows) for pick, rows in choices.groupby("pick")} == dict(picks["replica"].astype(str).items())


def test_a_replica_can_be_chosen_from_its_own_time_on(tmp_path: Path) -> None:
    picks, choices = saved(BUSY, tmp_path)

    sizes = choices.groupby("pick").size()

    assert (sizes == (picks["t_s"] >= 20).map({False: 2, True: 3})).all()


def test_figures_are_those_of_the_choice_and_not_what_became_of_the_row(tmp_path: Path) -> None:
    picks, choices = saved(BUSY, tmp_path)

    taken = choices.merge(picks["replica"].rename("taken"), left_on="pick", right_index=True)
    taken = taken[taken["replica"].astype(str) == taken["taken"].astype(str)].set_index("pick")

    assert taken["in_flight"].tolist() == picks["in_flight"].tolist()
    assert taken["last_used_s"].tolist() == picks["last_used_s"].tolist()


def test_many_picks_are_written_part_by_part_and_read_back_as_one_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, at_once = saved(BUSY, tmp_path)
    monkeypatch.setattr(module, "_ROWS_AT_A_TIME", 16)

    _, in_parts = saved(BUSY, tmp_path)

    pd.testing.assert_frame_equal(in_parts, at_once)


def test_a_table_of_more_rows_than_asked_for_is_not_loaded(tmp_path: Path) -> None:
    _, choices = saved(BUSY, tmp_path)
    rows = len(choices)

    whole = read_choices(tmp_path / "run", most_rows=rows)

    assert whole is not None
    assert len(whole) == rows
    assert read_choices(tmp_path / "run", most_rows=rows - 1) is None


def test_a_run_has_the_same_digest_when_its_choices_are_written_down(tmp_path: Path) -> None:
    (tmp_path / "busy.yaml").write_text(BUSY.replace("registry: {pick: 0s}", "registry: {transaction: 20ms}"))
    file = load(tmp_path / "busy.yaml")

    assert run(file, observers=[ChoiceRecorder()]).digest == run(file).digest


def test_a_policy_that_listens_hears_the_same_when_its_choices_are_written_down(tmp_path: Path) -> None:
    class Listening:
        def __init__(self) -> None:
            self.told: list[tuple[object, ...]] = []

        def pick(self, replicas: Sequence[ReplicaView]) -> ReplicaView | None:
            return min(replicas, key=lambda replica: replica.in_flight, default=None)

        def sent(self, *told: object) -> None:
            self.told.append(told)

        def ended(self, *told: object) -> None:
            self.told.append(told)

    (tmp_path / "busy.yaml").write_text(BUSY)
    alone, watched = Listening(), Listening()

    run(tmp_path / "busy.yaml", "mine", policies={"mine": alone})
    run(tmp_path / "busy.yaml", "mine", policies={"mine": watched}, observers=[ChoiceRecorder()])

    assert watched.told == alone.told
    assert len(alone.told) > 100
