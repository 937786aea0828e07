"""`sim validate`: what it prints, what it refuses, and its exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

from sim.study.validate.entry import shipped_entries
from tests.cli.command import sim

ROUND_ROBIN = {
    "id": "RR",
    "model": "round robin, Jain index",
    "parameters": {"n": 10, "k": 4},
    "quantity": "J",
    "value": 0.961538462,
    "kind": "closed-form",
    "source": "Jain, Chiu, Hawe 1984",
}
SHARED = {"id": "PS", "model": "M/G/1 PS", "quantity": "mean_sojourn", "value": 2.0}


def table(folder: Path, *entries: dict[str, object]) -> Path:
    path = folder / "table.json"
    path.write_text(json.dumps({"entries": entries}))
    return path


def rows(*arguments: str | Path) -> list[dict[str, Any]]:
    document: dict[str, list[dict[str, Any]]] = json.loads(
        sim("validate", "--quick", "-j", "1", "--json", *arguments).stdout
    )
    return document["rows"]


def test_a_table_of_ones_own_is_compared_row_by_row(tmp_path: Path) -> None:
    first, second = rows("--file", table(tmp_path, SHARED, ROUND_ROBIN))

    assert (first["id"], first["verdict"]) == ("PS", "skipped")
    assert first["reason"] == "no engine shares its time equally among its calls"
    assert (second["id"], second["verdict"], second["theirs"]) == ("RR", "inside", 0.961538462)
    assert second["low"] <= second["ours"] <= second["high"]


def test_a_figure_that_is_wrong_fails_the_command(tmp_path: Path) -> None:
    end = sim("validate", "--quick", "-j", "1", "--file", table(tmp_path, {**ROUND_ROBIN, "value": 0.97}))

    assert end.returncode == 1
    assert "outside RR" in end.stdout
    assert "It fails: RR." in end.stdout


def test_the_text_names_the_source_and_the_false_alarm_rate(tmp_path: Path) -> None:
    end = sim("validate", "--quick", "-j", "1", "--file", table(tmp_path, ROUND_ROBIN))

    assert end.returncode == 0
    assert "theirs 0.961538, ours 0.961538" in end.stdout
    assert "(Jain, Chiu, Hawe 1984)" in end.stdout
    assert "with a chance of at most 0.1 %" in end.stdout


def test_a_page_counts_the_rows_of_each_model(tmp_path: Path) -> None:
    page = tmp_path / "page.md"

    sim("validate", "-j", "1", "--file", table(tmp_path, SHARED, ROUND_ROBIN), "--markdown", page)

    text = page.read_text()
    assert "| round robin, Jain index | 1 | 0 | 0 |" in text
    assert "| M/G/1 PS | 1 | no engine shares its time equally among its calls |" in text


def test_chosen_rows_come_in_the_order_of_the_table() -> None:
    chosen = rows("--id", "GT-0411", "--id", "GT-0401")

    assert [row["id"] for row in chosen] == ["GT-0401", "GT-0411"]
    assert [row["verdict"] for row in chosen] == ["inside", "inside"]


def test_nothing_compared_is_no_success() -> None:
    end = sim("validate", "-j", "1", "--model", "M/G/1 PS")

    assert end.returncode == 5
    assert "nothing was compared" in end.stderr
    assert "Nothing was judged: 4 rows are skipped" in end.stdout
    assert "right rows" not in end.stdout


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--id", "GT-9999"), "--id: 'GT-9999' is not in the table; did you mean"),
        (("--model", "M/M/1/"), "--model: 'M/M/1/' is not in the table; did you mean 'M/M/1'?"),
        (("--file", "missing.json"), "--file: missing.json: cannot be read: No such file or directory"),
    ],
)
def test_what_is_not_there_is_named(arguments: tuple[str, ...], message: str, tmp_path: Path) -> None:
    end = sim("validate", *arguments, folder=tmp_path)

    assert end.returncode == 2
    assert message in end.stderr


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"id": "X", "model": "M/M/1", "quantity": "mean_wait"}, "entries[1].value"),
        ({**SHARED, "value": "two"}, "entries[1].value"),
        (ROUND_ROBIN, "found more than one entry of the id RR; allowed: each id once"),
    ],
)
def test_a_fault_in_a_table_is_told_with_its_place(entry: dict[str, object], message: str, tmp_path: Path) -> None:
    end = sim("validate", "--file", table(tmp_path, ROUND_ROBIN, entry))

    assert end.returncode == 2
    assert message in end.stderr


def test_every_entry_of_the_shipped_table_is_either_compared_or_has_a_reason() -> None:
    from sim.study.validate.answer import FULL
    from sim.study.validate.validation import planned

    validation = planned(shipped_entries(), FULL)
    compared = [case.entry.id for _, cases in validation.systems for case in cases]

    assert sorted([*compared, *validation.reasons]) == sorted(entry.id for entry in shipped_entries())
    assert "no such model is known" not in validation.reasons.values()
