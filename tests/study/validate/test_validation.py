"""The table that comes with the package against the simulator, in its quick form: all of it, or every third system."""

from dataclasses import replace

import pytest

from sim.study.validate.answer import FULL, QUICK
from sim.study.validate.entry import Entry, shipped_entries
from sim.study.validate.queueing import station
from sim.study.validate.row import Row, failures
from sim.study.validate.validation import Validation, planned

EVERY_THIRD, ALL = slice(None, None, 3), slice(None)


@pytest.mark.slow
@pytest.mark.parametrize(
    "systems", [pytest.param(EVERY_THIRD, id="short"), pytest.param(ALL, id="long", marks=pytest.mark.long)]
)
def test_the_simulator_agrees_with_theory_and_published_tables(systems: slice) -> None:
    """A right simulator fails this with a chance of at most 0.2 %, whatever the seed."""
    validation = quick(shipped_entries())

    rows = compared_rows(replace(validation, systems=validation.systems[systems]))

    assert failures(rows) == []
    assert sum(row.verdict == "inside" for row in rows) >= 10


def test_no_seed_depends_on_where_something_lies_in_memory() -> None:
    systems = [system for system, _ in planned(shipped_entries(), FULL).systems]

    named = [repr(level.replicated) for system in systems for level in system.levels]
    assert [name for name in named if " at 0x" in name] == []


def test_a_row_that_is_skipped_has_a_reason() -> None:
    rows = quick(shipped_entries()).skipped()

    assert rows
    assert all(row.reason for row in rows)


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        pytest.param("M/M/1", {"mean_wait": 1.2}, id="a wait that is a fifth longer"),
        pytest.param("M/D/1", {"mean_wait": 0.45}, id="a wait that is a tenth shorter"),
    ],
)
def test_a_table_that_is_wrong_is_noticed(model: str, wrong: dict[str, float]) -> None:
    entries = [
        entry.model_copy(update={"value": wrong.get(entry.quantity, entry.value)})
        for entry in shipped_entries()
        if entry.model == model
    ]

    assert failures(compared_rows(quick(entries))) != []


def test_a_backend_that_is_slower_than_its_node_says_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Controls take out the luck of the draws, and nothing of what the simulator makes of them."""
    text = station.station_text
    monkeypatch.setattr(
        station, "station_text", lambda *given: text(*given).replace("{name: n0}", "{name: n0, speed: 0.9}")
    )
    theirs = [entry for entry in shipped_entries() if entry.model == "M/M/1"]

    assert failures(compared_rows(quick(theirs))) != []


def quick(entries: list[Entry]) -> Validation:
    return planned(entries, QUICK, one_system_each=True)


def compared_rows(validation: Validation) -> list[Row]:
    return [row for rows in validation.carried_out() for row in rows]
