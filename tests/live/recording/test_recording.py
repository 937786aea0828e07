"""Recorded live sessions: led through the same routing code again, every decision is the same."""

import asyncio
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import pytest

from sim import __version__
from sim.live.recording.file import Recording, read_recording, write_recording
from sim.live.recording.lines import Line
from sim.live.recording.script import Script
from sim.routing.fleet import Fleet, ReplicaRow
from sim.routing.loading import eviction as routing_eviction
from sim.routing.loading import load_path
from sim.routing.loading.placement import PlacementRules
from sim.routing.policies import best_replica
from sim.routing.policies.best_replica import pick_best_replica
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.settings import FrontendSettings, ModelConfig
from sim.scenario import RouterSpec
from sim.study.replay.replay import Difference, replay
from tests.live.conftest import NewDatabase
from tests.live.sessions import COLD, HERD, LIVELY, evicting, recorded, scenario

pytestmark = pytest.mark.slow

_MOST_SESSIONS = 5


@pytest.fixture(scope="module")
def lively(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A session on SQLite in which probes time out, leaders leave, rows go and models are loaded anew.

    Who leads a probe is a matter of real time, so it is recorded again if no leader happened to leave.
    """
    for _ in range(_MOST_SESSIONS):
        folder = tmp_path_factory.mktemp("lively")
        session = recorded(LIVELY, "head", f"sqlite:///{folder / 'registry.db'}", folder / "lively.jsonl")
        if _probes(session)["FAILED"]:
            break
    return session


@pytest.fixture(scope="module")
def herd(tmp_path_factory: pytest.TempPathFactory, new_postgres_database: NewDatabase) -> Recording:
    """Bursts on PostgreSQL at READ COMMITTED."""
    return recorded(HERD, "fixed", new_postgres_database(), tmp_path_factory.mktemp("herd") / "herd.jsonl")


def _lines(recording: Recording) -> list[Line]:
    return [line for script in recording.scripts for line in script.lines]


def _probes(recording: Recording) -> Counter[object]:
    return Counter(line.values[-1] for line in _lines(recording) if line.what == "probed")


def _first_difference(recording: Recording, settings: FrontendSettings | None = None) -> Difference:
    difference = replay(recording, settings).first_difference
    assert difference is not None
    return difference


def _router(recording: Recording, **changes: object) -> FrontendSettings:
    written = recording.scenario.router.model_dump(by_alias=True)
    probe = changes.pop("probe", {})
    assert isinstance(probe, dict)
    return RouterSpec.model_validate(written | changes | {"probe": written["probe"] | probe}).settings()


def test_a_session_on_sqlite_replays_with_identical_decisions_for_every_request(lively: Recording) -> None:
    result = replay(lively)

    assert (result.decisions, result.first_difference) == (251, None)


def test_the_session_holds_what_makes_a_replay_hard(lively: Recording) -> None:
    lines, probes = _lines(lively), _probes(lively)

    assert probes["OK"]
    assert probes["TIMEOUT"]
    assert probes["FAILED"], "no leader left its probe"
    calls = Counter(line.what for line in lines if line.kind in ("asked", "failed"))
    assert calls["load_model"], "nothing was loaded anew"
    assert len(lively.scripts) == 2


# In the short form, the cold session shows the hardened router.
@pytest.mark.long
def test_a_session_with_the_hardened_router_replays_with_identical_decisions(tmp_path: Path) -> None:
    session = recorded(LIVELY, "hardened", f"sqlite:///{tmp_path / 'registry.db'}", tmp_path / "hardened.jsonl")

    result = replay(session)

    assert (result.decisions, result.first_difference) == (251, None)


def test_a_burst_that_herds_on_postgresql_replays_with_identical_decisions_for_every_request(herd: Recording) -> None:
    result = replay(herd)

    assert (result.decisions, result.first_difference) == (160, None)


def test_picks_that_waited_for_their_row_are_replayed_from_the_rows_as_they_began(herd: Recording) -> None:
    (script,) = herd.scripts
    picks = [line.wait for line in script.lines if (line.kind, line.what) == ("answered", "pick")]

    waited = [pick for pick in picks if pick is not None and _had_changed(script, pick)]

    assert len(picks) == 160
    assert waited, "no pick had waited for another one"


def _had_changed(script: Script, pick: int) -> bool:
    as_seen = {row.id: row.in_flight for row in script.seen[pick].rows}
    answer = script.answers[pick]
    return bool(answer.in_flight > as_seen[answer.id])


# In the short form, the burst is on PostgreSQL, and the lively session on SQLite.
@pytest.mark.long
def test_a_lively_session_on_postgresql_replays_with_identical_decisions(
    tmp_path: Path, new_postgres_database: NewDatabase
) -> None:
    session = recorded(LIVELY, "fixed", new_postgres_database(), tmp_path / "lively.jsonl")

    result = replay(session)

    assert (result.decisions, result.first_difference) == (251, None)


@pytest.fixture(scope="module")
def cold(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A session in which the model is loaded while requests wait, on the node that its selector names."""
    folder = tmp_path_factory.mktemp("cold")
    return recorded(COLD, "jobs", f"sqlite:///{folder / 'registry.db'}", folder / "cold.jsonl")


def test_a_session_that_begins_with_a_cold_load_replays_with_identical_decisions(cold: Recording) -> None:
    result = replay(cold)

    assert (result.decisions, result.first_difference) == (39, None)


def test_the_cold_session_holds_a_job_and_picks_among_candidates(cold: Recording) -> None:
    asked = [line for line in _lines(cold) if line.kind == "asked"]

    calls = Counter(line.what for line in asked)
    assert calls["load_model"] == 1
    assert {"fleet", "start_load", "beat_load", "reserve_vram", "end_load"} <= calls.keys()
    assert {tuple(line.values[1]) for line in asked if line.what == "pick"} == {("thor",)}


def test_another_placement_differs_in_where_the_model_is_installed(
    cold: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    def place(_fleet: Fleet, model: ModelConfig, _rules: PlacementRules) -> ReplicaKey:
        return ReplicaKey("spark", model.name, 0)

    monkeypatch.setattr(load_path, "place", place)
    difference = _first_difference(cold)

    assert difference.recorded is not None
    assert difference.replayed is not None
    assert (difference.recorded.what, difference.replayed.what) == ("reserve_vram", "reserve_vram")
    assert (difference.recorded.values[0], difference.replayed.values[0]) == ("thor", "spark")


@pytest.fixture(scope="module")
def eviction(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    """A request for which a row of another model is evicted, in vain: that frees no slot of its own model."""
    folder = tmp_path_factory.mktemp("eviction")
    played = scenario(COLD, "inline")
    transcript = asyncio.run(evicting(played, f"sqlite:///{folder / 'registry.db'}"))
    write_recording(folder / "eviction.jsonl", played, "inline", 1.0, [transcript], __version__)
    return read_recording(folder / "eviction.jsonl")


def test_an_eviction_replays_with_the_same_row(eviction: Recording) -> None:
    result = replay(eviction)

    assert (result.decisions, result.first_difference) == (1, None)
    removed = [line.values[0] for line in _lines(eviction) if line.what == "row_removed"]
    assert removed == [["thor", "idle", 0]]


def test_another_order_of_evictions_differs_in_the_row(eviction: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    def most_recently_used(
        fleet: Fleet, _models: Mapping[str, ModelConfig], _nodes: Collection[str] = ()
    ) -> ReplicaRow | None:
        return max(fleet.rows, key=lambda row: row.last_used_ns)

    monkeypatch.setattr(routing_eviction, "least_recently_used", most_recently_used)
    difference = _first_difference(eviction)

    assert difference.recorded is not None
    assert difference.replayed is not None
    assert (difference.recorded.kind, difference.recorded.what) == ("answered", "evict")
    assert difference.replayed.values[0]["key"] == ["thor", "qwen3", 0]


def test_another_policy_differs_in_a_pick(lively: Recording, monkeypatch: pytest.MonkeyPatch) -> None:
    # It differs at the first pick that has a choice, which is the first of all.
    def worst(replicas: Sequence[Replica]) -> Replica | None:
        best_first = sorted(replicas, key=lambda replica: (replica.in_flight, replica.last_used_ns))
        return best_first[-1] if best_first else None

    monkeypatch.setattr(best_replica.ChooseBest, "__call__", staticmethod(worst))
    difference = _first_difference(lively)

    assert difference.recorded is not None
    assert difference.replayed is not None
    assert (difference.recorded.kind, difference.recorded.what) == ("answered", "pick")
    assert difference.recorded.values[0]["key"] != difference.replayed.values[0]["key"]


def test_another_ttl_differs_in_what_the_probe_cache_remembers(lively: Recording) -> None:
    difference = _first_difference(lively, _router(lively, probe={"ttl": "1ms"}))

    assert difference.recorded is not None
    assert difference.replayed is not None
    assert (difference.recorded.what, difference.replayed.what) == ("picked", "picked")
    assert (difference.recorded.values[2], difference.replayed.values[2]) == ([True, "FRESH"], None)


def test_a_frontend_that_keeps_its_route_differs_in_that_it_does_not_pick(lively: Recording) -> None:
    difference = _first_difference(lively, _router(lively, client_cache="sticky"))

    assert difference.recorded is not None
    assert difference.replayed is not None
    assert (difference.recorded.what, difference.recorded.values[1]) == ("lock_taken", "qwen3, shared")
    assert (difference.replayed.what, difference.replayed.values[1]) == ("lock_taken", "frontend")


@pytest.mark.parametrize(
    "changes",
    [
        {"probe": {"timeout": "3s"}},
        {"probe": {"sharing": "detached"}},
        {"probe": {"sharing": "unshared"}},
        {"probe": {"on_timeout": "keep_row"}},
        {"probe": {"refresh": "calls"}},
    ],
    ids=str,
)
def test_every_other_setting_of_the_router_shows(lively: Recording, changes: dict[str, object]) -> None:
    result = replay(lively, _router(lively, **changes))

    assert not result.identical


def test_a_choice_that_the_database_did_not_make_by_the_policy_shows(lively: Recording) -> None:
    script = lively.scripts[0]
    wait, seen = next((wait, seen) for wait, seen in script.seen.items() if len(seen.rows) == 2)
    before = seen.rows
    seen.rows = [row for row in before if row.id != script.answers[wait].id]

    try:
        difference = _first_difference(lively)
    finally:
        seen.rows = before

    assert difference.line.wait == wait


def test_a_recorded_pick_chose_the_best_of_the_rows_it_lists(herd: Recording) -> None:
    (script,) = herd.scripts

    for wait, seen in script.seen.items():
        best = pick_best_replica(row for row in seen.rows if row.id not in seen.gone)
        assert best is not None
        assert script.answers[wait].id == best.id
