"""The file format as JSON Schema, with which editors complete and check scenarios while they are written."""

import ast
from collections import ChainMap
from functools import cache
from inspect import cleandoc, getsource
from itertools import pairwise
from textwrap import dedent
from typing import Any, cast

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core.core_schema import ModelSchema

from sim.scenario.load import MOST_VARIANTS
from sim.scenario.spec.base import Spec
from sim.scenario.spec.expectation import Expectation
from sim.scenario.spec.regression import Regression
from sim.scenario.spec.schema import Scenario

# Their values come from the profile, so nobody has to write them.
_FILLED_IN = ("RouterSpec", "ProbeSpec", "ControlSpec")
# Kinds of value that also have a short form, which the models turn into the long one.
_SHORT_FORMS = {
    "TokensSpec": {"type": "integer", "minimum": 0},
    "ThinkSpec": {"$ref": "#/$defs/Duration"},
    "FrontendsSpec": {"type": "integer", "minimum": 1, "maximum": 1000},
}
_DURATION = "A time with its unit, such as 250ms, 30s or 5m."
_FILE = "A scenario: machines, models, requests and faults, the router variants to compare, and what must hold."
_VARIANTS = (
    "Router variants to compare, by name, each as changes to the rest of the file; one, `default`, if not given."
)
_VARIANT = "Changes over the scenario. One that names a router profile starts its router from that profile alone."
_EXPECT = "Bounds that metrics must keep. A run that breaks one of them fails."


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a scenario file, with the keys of the whole file included."""
    scenario, expectation = _schema_of(Scenario), _schema_of(Expectation)
    regression = _schema_of(Regression)
    definitions = {**scenario.pop("$defs"), **expectation.pop("$defs", {})}
    definitions["Duration"] = {**scenario["properties"]["duration"], "title": "Duration", "description": _DURATION}
    for definition in definitions.values():
        _say_what_the_kind_does(definition)
    for name in _FILLED_IN:
        definitions[name].pop("required", None)
    for name, short in _SHORT_FORMS.items():
        definitions[name] = {"anyOf": [short, definitions[name]]}
    changes = {key: value for key, value in scenario.items() if key != "required"}
    variants = {
        "type": "object",
        "description": _VARIANTS,
        "propertyNames": {"pattern": "^[a-z][a-z0-9_-]{0,63}$"},
        "additionalProperties": {**changes, "title": "Variant", "description": _VARIANT},
        "minProperties": 1,
        "maxProperties": MOST_VARIANTS,
    }
    expect = {"type": "array", "description": _EXPECT, "items": expectation}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **scenario,
        "description": _FILE,
        "properties": {**scenario["properties"], "variants": variants, "expect": expect, "regression": regression},
        "$defs": definitions,
    }


class _WithTexts(GenerateJsonSchema):
    """Describes each key by the text below its attribute.

    pydantic's `use_attribute_docstrings` does the same, but reads the sources at each start of the program.
    """

    def model_schema(self, schema: ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        spec = schema["cls"]
        # Of the class that defines an attribute last, which comes first here.
        for name, text in ChainMap(*(_texts(part) for part in spec.__mro__ if issubclass(part, Spec))).items():
            made["properties"][spec.model_fields[name].alias or name].setdefault("description", text)
        return made


@cache
def _texts(part: type) -> dict[str, str]:
    """Return the text below each attribute that the class itself defines with one."""
    (definition,) = ast.parse(dedent(getsource(part))).body
    texts = {}
    for pair in pairwise(cast(ast.ClassDef, definition).body):
        match pair:
            case ast.AnnAssign(ast.Name(name)), ast.Expr(ast.Constant(str(text))):
                texts[name] = cleandoc(text)
    return texts


def _schema_of(spec: type[Spec]) -> dict[str, Any]:
    # Only the mode that describes output writes defaults as a file would, such as 2s instead of 2000000000.
    return spec.model_json_schema(by_alias=True, mode="serialization", schema_generator=_WithTexts)


def _say_what_the_kind_does(definition: dict[str, Any]) -> None:
    """Describe `kind` by the sentence of the class that it selects, so that an editor shows it beside the name."""
    kind = definition.get("properties", {}).get("kind")
    if kind is not None:
        kind["description"] = definition["description"]
