"""The file format as JSON Schema, with which editors complete and check scenarios while they are written."""

from typing import Any

from sim.scenario.load import MOST_VARIANTS
from sim.scenario.spec.schema import Expectation, Scenario

# Their values come from the profile, so nobody has to write them.
_FILLED_IN = ("RouterSpec", "ProbeSpec")
# Kinds of value that also have a short form, which the models turn into the long one.
_SHORT_FORMS = {"TokensSpec": {"type": "integer", "minimum": 0}, "ThinkSpec": {"$ref": "#/$defs/Duration"}}
_VARIANT = "Changes over the scenario. One that names a router profile starts its router from that profile alone."


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file, `variants` and `expect` included."""
    scenario = Scenario.model_json_schema(by_alias=True)
    expectation = Expectation.model_json_schema(by_alias=True)
    definitions = {**scenario.pop("$defs"), **expectation.pop("$defs", {})}
    definitions["Duration"] = scenario["properties"]["duration"]
    for name in _FILLED_IN:
        definitions[name].pop("required", None)
    for name, short in _SHORT_FORMS.items():
        definitions[name] = {"anyOf": [short, definitions[name]]}
    changes = {key: value for key, value in scenario.items() if key != "required"}
    variants = {
        "type": "object",
        "propertyNames": {"pattern": "^[a-z][a-z0-9_-]{0,63}$"},
        "additionalProperties": {**changes, "title": "Variant", "description": _VARIANT},
        "minProperties": 1,
        "maxProperties": MOST_VARIANTS,
    }
    properties = {**scenario["properties"], "variants": variants, "expect": {"type": "array", "items": expectation}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **scenario,
        "properties": properties,
        "$defs": definitions,
    }
