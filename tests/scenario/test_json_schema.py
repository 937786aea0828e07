"""The JSON Schema for editors."""

import json
import re
from collections.abc import Iterator
from typing import Annotated, Any

import jsonschema  # type: ignore[import-untyped]
import pytest
from pydantic import TypeAdapter

from sim.scenario import json_schema
from sim.scenario.spec.base import Spec
from sim.scenario.spec.expectation import Expectation
from sim.scenario.spec.regression import Regression
from sim.scenario.spec.schema import Scenario
from sim.scenario.text.source import read_bytes
from tests.scenarios.shipped import FOLDER, NAMES

SCHEMA = json_schema()
DURATIONS = {"30s": True, "1.5s": True, "250ms": True, "30": False, "3days": False, "s": False}


def properties(part: Any, at: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every property anywhere in the schema, with its place."""
    if isinstance(part, dict):
        for key, schema in part.get("properties", {}).items():
            yield f"{at}.{key}", schema
        for key, inner in part.items():
            yield from properties(inner, f"{at}.{key}")
    elif isinstance(part, list):
        for index, inner in enumerate(part):
            yield from properties(inner, f"{at}[{index}]")


def parts() -> dict[str, tuple[type[Spec], dict[str, Any]]]:
    """Return the classes that the schema is made from, each with its part of the schema."""
    classes = [Spec]
    for spec in classes:  # which grows on the way
        classes += spec.__subclasses__()
    known = {spec.__name__: spec for spec in classes}
    expectation = SCHEMA["properties"]["expect"]["items"]
    found: dict[str, tuple[type[Spec], dict[str, Any]]] = {
        "Scenario": (Scenario, SCHEMA),
        "Expectation": (Expectation, expectation),
        "Regression": (Regression, SCHEMA["properties"]["regression"]),
    }
    for name, part in SCHEMA["$defs"].items():
        if name in known:
            found[name] = (known[name], part["anyOf"][-1] if "anyOf" in part else part)
    return found


def as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: as_json(entry) for key, entry in value.items()}
    return [as_json(entry) for entry in value] if isinstance(value, tuple) else value


PARTS = parts()


def test_it_is_plain_json_without_dangling_references() -> None:
    text = json.dumps(SCHEMA, allow_nan=False)

    for name in re.findall(r'"#/\$defs/(\w+)"', text):
        assert name in SCHEMA["$defs"]


def test_it_asks_for_what_a_file_has_to_have() -> None:
    assert SCHEMA["required"] == ["name", "duration", "nodes", "models", "workload"]
    assert SCHEMA["additionalProperties"] is False


def test_it_uses_the_keys_of_the_file() -> None:
    properties = SCHEMA["properties"]

    assert {"duration", "warmup", "drain_limit", "router", "variants", "expect"} < set(properties)
    assert not any(name.endswith(("_ns", "_bytes", "_per_s")) for name in properties)


@pytest.mark.parametrize(("text", "fits"), DURATIONS.items())
def test_its_pattern_for_durations_accepts_what_the_loader_accepts(text: str, fits: bool) -> None:
    pattern = SCHEMA["properties"]["duration"]["pattern"]

    assert (re.search(pattern, text) is not None) is fits


def test_a_variant_may_leave_out_what_the_file_has_to_have() -> None:
    variant = SCHEMA["properties"]["variants"]["additionalProperties"]

    assert "required" not in variant
    assert "variants" not in variant["properties"]


def test_a_router_may_leave_everything_to_its_profile() -> None:
    definitions = SCHEMA["$defs"]

    assert "required" not in definitions["RouterSpec"]
    assert "required" not in definitions["ProbeSpec"]


def test_tokens_and_thinking_have_a_short_form() -> None:
    definitions = SCHEMA["$defs"]

    assert definitions["TokensSpec"]["anyOf"][0] == {"type": "integer", "minimum": 0}
    assert definitions["ThinkSpec"]["anyOf"][0] == {"$ref": "#/$defs/Duration"}


def test_every_key_has_a_sentence() -> None:
    without = [at for at, schema in properties(SCHEMA) if not schema.get("description", "").endswith(".")]

    assert without == []


def test_a_kind_says_what_it_does() -> None:
    crash = SCHEMA["$defs"]["NodeCrashFault"]["properties"]["kind"]

    assert crash["description"] == "Stops a node and every process on it at once; what they were doing is lost."


def test_a_default_has_the_unit_of_the_file() -> None:
    bare = [
        at
        for at, schema in properties(SCHEMA)
        if "pattern" in schema and not isinstance(schema.get("default", ""), str)
    ]

    assert bare == []
    assert SCHEMA["properties"]["drain_limit"]["default"] == "10m"


@pytest.mark.parametrize(("spec", "part"), PARTS.values(), ids=PARTS)
def test_a_default_reads_back_as_the_value_that_is_used(spec: type[Spec], part: dict[str, Any]) -> None:
    for key, field in spec.model_fields.items():
        if not field.is_required() and field.default_factory is None:
            told = part["properties"][field.alias or key]["default"]
            typed: Any = Annotated[field.annotation, "of the field", *field.metadata]
            assert TypeAdapter(typed).validate_json(json.dumps(told)) == field.default


@pytest.mark.parametrize("name", NAMES)
def test_it_accepts_every_shipped_scenario(name: str) -> None:
    document = read_bytes((FOLDER / f"{name}.yaml").read_bytes(), name).data

    jsonschema.Draft202012Validator(SCHEMA).validate(as_json(document))


def test_it_refuses_a_key_that_the_format_does_not_have() -> None:
    document = read_bytes((FOLDER / "cache_pinning.yaml").read_bytes(), "cache_pinning").data

    with pytest.raises(jsonschema.ValidationError, match="duraton"):
        jsonschema.Draft202012Validator(SCHEMA).validate(as_json({**document, "duraton": "5m"}))


def test_the_file_beside_the_shipped_scenarios_is_up_to_date() -> None:
    written = json.loads((FOLDER / "scenario.schema.json").read_text(encoding="utf-8"))

    assert written == SCHEMA, "write it anew: sim schema > scenarios/scenario.schema.json"


@pytest.mark.parametrize("name", NAMES)
def test_a_shipped_scenario_tells_editors_its_schema(name: str) -> None:
    first = (FOLDER / f"{name}.yaml").read_text(encoding="utf-8").partition("\n")[0]

    assert first == "# yaml-language-server: $schema=scenario.schema.json"
