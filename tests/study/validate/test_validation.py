"""The table that comes with the package against the simulator: as many systems as its quick form has."""

from dataclasses import replace

import pytest

from sim.study.validate.answer import QUICK, Precision
from sim.study.validate.entry import Entry, shipped_entries
from sim.study.validate.queueing import station
from sim.study.validate.row import Row, failures
from sim.study.validate.validation import planned

COARSE = replace(QUICK, width=0.25)
"""The first replications of a system are enough for it."""


@pytest.mark.slow
@pytest.mark.parametrize(
    "precision", [pytest.param(COARSE, id="short"), pytest.param(QUICK, id="long", marks=pytest.mark.long)]
)
def test_the_simulator_agrees_with_theory_and_published_tables(precision: Precision) -> None:
    """A right simulator fails this with a chance of at most 0.2 %, whatever the seed."""
    rows = compared_rows(shipped_entries(), precision)

    assert failures(rows) == []
    assert sum(row.verdict == "inside" for row in rows) >= 20
    assert all(row.reason for row in rows if row.verdict == "skipped")


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

    assert failures(compared_rows(entries)) != []


def test_a_backend_that_is_slower_than_its_node_says_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Controls take out the luck of the draws, and nothing of what the simulator makes of them."""
    text = station.station_text
    monkeypatch.setattr(
        station, "station_text", lambda *given: text(*given).replace("{name: n0}", "{name: n0, speed: 0.9}")
    )
    theirs = [entry for entry in shipped_entries() if entry.model == "M/M/1"]

    assert failures(compared_rows(theirs)) != []


def compared_rows(entries: list[Entry], precision: Precision = QUICK) -> list[Row]:
    validation = planned(entries, precision, one_system_each=True)
    return [row for rows in validation.carried_out() for row in rows] + validation.skipped()
