"""The protocol as JSON Schema: it is shipped as it is, and every line that is written fits it."""

import json
from pathlib import Path
from typing import Any

import jsonschema  # type: ignore[import-untyped]
import pytest

from sim.programs.protocol import ended_line, pick_line, sent_line
from sim.programs.schema import protocol_schema
from sim.routing.policies.port import ReplicaView, RequestView

SHIPPED = Path(__file__).parents[2] / "docs" / "reference" / "picker-protocol.schema.json"
REQUEST = RequestView(17, "m", 100)
REPLICA = ReplicaView("5", "a", 0, 2, 7, 10**9)
LINES = {
    "Pick": pick_line(1, REQUEST, [REPLICA]),
    "Sent": sent_line(2, REQUEST, REPLICA),
    "Ended": ended_line(3, REQUEST, REPLICA, "completed", 1),
    "Answer": b'{"index": 0, "tell": ["sent"]}',
}


def fits(line: dict[str, Any], kind: str) -> bool:
    schema = {"$ref": f"#/$defs/{kind}", "$defs": protocol_schema()["$defs"]}
    return bool(jsonschema.Draft202012Validator(schema).is_valid(line))


def test_the_shipped_file_is_up_to_date() -> None:
    written = json.loads(SHIPPED.read_text(encoding="utf-8"))

    assert written == protocol_schema(), (
        "write it anew: sim schema --protocol > docs/reference/picker-protocol.schema.json"
    )


@pytest.mark.parametrize("kind", LINES)
def test_a_line_fits_its_kind_and_no_other(kind: str) -> None:
    line = json.loads(LINES[kind])

    assert [one for one in LINES if fits(line, one)] == [kind]
    assert jsonschema.Draft202012Validator(protocol_schema()).is_valid(line)


@pytest.mark.parametrize("kind", LINES)
def test_a_line_without_one_of_its_keys_does_not_fit(kind: str) -> None:
    line = json.loads(LINES[kind])
    optional = ("tell",)

    for key in line.keys() - optional:
        assert not fits({name: value for name, value in line.items() if name != key}, kind)


def test_a_line_of_a_version_that_knew_of_no_capacity_fits_still() -> None:
    line = json.loads(LINES["Pick"])
    del line["candidates"][0]["capacity"]

    assert fits(line, "Pick")


@pytest.mark.parametrize(("definition", "view"), [("Request", REQUEST), ("Replica", REPLICA)])
def test_every_figure_that_is_shown_is_explained(definition: str, view: Any) -> None:
    assert list(protocol_schema()["$defs"][definition]["properties"]) == list(view._fields)


@pytest.mark.parametrize(
    "answer",
    [
        {"index": -1},
        {"index": 1.5},
        {"index": "0"},
        {"index": True},
        {},
        {"index": 0, "tell": ["end"]},
        {"index": 0, "tell": 1},
    ],
    ids=str,
)
def test_what_a_run_refuses_does_not_fit(answer: dict[str, Any]) -> None:
    assert not fits(answer, "Answer")
