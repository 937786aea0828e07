"""The JSON Schema for editors."""

import json
import re
from typing import Any

import pytest

from sim.scenario import json_schema

DURATIONS = {"30s": True, "1.5s": True, "250ms": True, "30": False, "3days": False, "s": False}


def resolved(schema: dict[str, Any], part: dict[str, Any]) -> Any:
    """Follow a reference within the schema."""
    return schema["$defs"][part["$ref"].removeprefix("#/$defs/")] if "$ref" in part else part


def test_it_is_plain_json_without_dangling_references() -> None:
    schema = json_schema()

    text = json.dumps(schema, allow_nan=False)

    for name in re.findall(r'"#/\$defs/(\w+)"', text):
        assert name in schema["$defs"]


def test_it_asks_for_what_a_file_has_to_have() -> None:
    schema = json_schema()

    assert schema["required"] == ["name", "duration", "nodes", "models", "workload"]
    assert schema["additionalProperties"] is False


def test_it_uses_the_keys_of_the_file() -> None:
    properties = json_schema()["properties"]

    assert {"duration", "warmup", "drain_limit", "router", "variants", "expect"} < set(properties)
    assert not any(name.endswith(("_ns", "_bytes", "_per_s")) for name in properties)


@pytest.mark.parametrize(("text", "fits"), DURATIONS.items())
def test_its_pattern_for_durations_accepts_what_the_loader_accepts(text: str, fits: bool) -> None:
    pattern = json_schema()["properties"]["duration"]["pattern"]

    assert (re.search(pattern, text) is not None) is fits


def test_a_variant_may_leave_out_what_the_file_has_to_have() -> None:
    variant = json_schema()["properties"]["variants"]["additionalProperties"]

    assert "required" not in variant
    assert "variants" not in variant["properties"]


def test_a_router_may_leave_everything_to_its_profile() -> None:
    definitions = json_schema()["$defs"]

    assert "required" not in definitions["RouterSpec"]
    assert "required" not in definitions["ProbeSpec"]


def test_tokens_and_thinking_have_a_short_form() -> None:
    definitions = json_schema()["$defs"]

    assert definitions["TokensSpec"]["anyOf"][0] == {"type": "integer", "minimum": 0}
    assert definitions["ThinkSpec"]["anyOf"][0] == {"$ref": "#/$defs/Duration"}
