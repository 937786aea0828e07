"""Turns what the schema finds wrong into problems that say what was found and what is allowed."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from sim.scenario.text.errors import Path, Problem, found, listed, nearest
from sim.scenario.text.merge import Locator

_ALLOWED_KINDS: Mapping[str, str] = {
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "string_type": "text, in quotes if it looks like a number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "dict_type": "a mapping of keys to values",
    "model_type": "a mapping of keys to values",
    "model_attributes_type": "a mapping of keys to values",
    "string_pattern_mismatch": "letters, digits and . _ - / : (a letter or digit first)",
}
_ALLOWED_BOUNDS: Mapping[str, str] = {
    "greater_than": "more than {gt}",
    "greater_than_equal": "at least {ge}",
    "less_than": "less than {lt}",
    "less_than_equal": "at most {le}",
    "string_too_long": "at most {max_length} characters",
    "string_too_short": "at least {min_length} characters",
}
# Lists whose entries differ by kind, and a kind of each.
_TAGGED: Mapping[str | int, str] = {"workload": "poisson", "faults": "node_crash"}
_HAS_UNIT = re.compile("-?[0-9.]+ ?[a-zA-Z%/]+")
_IN_SCHEMA = "(see sim schema)"
_TOKENS = "a whole number, or a mapping with mean and distribution"


def explain(
    error: ValidationError,
    model: type[BaseModel],
    locator: Locator,
    at: Path = (),
    *,
    beside: tuple[str, ...] = (),
) -> Iterator[Problem]:
    """Yield a problem for each error, and one for a key that is missing because it is misspelt.

    `at` is where the model's document lies within the locator's, `beside` what else may stand at its top.
    """
    errors = error.errors(include_url=False)
    misspelt = {
        (*one["loc"][:-1], nearest(str(one["loc"][-1]), _keys(model, one["loc"][:-1])))
        for one in errors
        if one["type"] == "extra_forbidden"
    }
    for one in errors:
        if one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]:
            continue  # The list is too short only because an item is wrong, and that is reported.
        if one["type"] == "missing" and one["loc"] in misspelt:
            continue
        path = (*at, *_without_tag(one["loc"]))
        if one["type"] == "extra_forbidden":
            keys = [*_keys(model, one["loc"][:-1]), *(beside if len(one["loc"]) == 1 else ())]
            yield _unknown_key(path, keys, locator)
        else:
            yield from _problems(one, path, model, locator)


def _unknown_key(path: Path, keys: Sequence[str], locator: Locator) -> Problem:
    # A variant may not have all the keys of a file.
    known = tuple(key for key in keys if key != path[-1])
    text = f"found an unknown key; allowed: {listed(known, _IN_SCHEMA)}"
    return locator.problem(path, text, at_key=True, word=str(path[-1]), known=known)


def _problems(one: Any, path: Path, model: type[BaseModel], locator: Locator) -> Iterator[Problem]:
    kind, context, value = one["type"], one.get("ctx", {}), one["input"]
    if kind == "scenario":
        path = (*path, context["key"]) if context["key"] else path
        yield from (locator.problem(path, text) for text in context["texts"])
    elif kind == "missing":
        yield locator.problem(path, "missing; it has to be written")
    elif kind in ("literal_error", "union_tag_invalid", "union_tag_not_found"):
        yield _choice(kind, context, value, path, locator)
    else:
        keys = list(_keys(model, one["loc"])) if kind.startswith("model_") else []
        path, value = _written(path, locator.document)
        # The file's own text: the schema may have seen a converted value.
        yield locator.problem(path, _plain_text({**one, "input": value}, keys))


def _choice(kind: str, context: Mapping[str, Any], value: Any, path: Path, locator: Locator) -> Problem:
    if kind == "union_tag_not_found":
        return locator.problem((*path, "kind"), f"missing; it has to be written, such as kind: {_TAGGED[path[0]]}")
    if kind == "union_tag_invalid":
        path, value = (*path, "kind"), value["kind"]
    known = tuple(re.findall(r"'([^']*)'", context.get("expected_tags") or context["expected"]))
    text = f"found {found(value)}; allowed: {listed(known, _IN_SCHEMA)}"
    return locator.problem(path, text, word=value if isinstance(value, str) else "", known=known)


def _plain_text(one: Any, keys: Sequence[str]) -> str:
    """Return what was found and what is allowed; `keys` are those of the mapping that should stand there."""
    kind, context, value = one["type"], one.get("ctx", {}), one["input"]
    if kind == "value_error":
        return str(context["error"])
    if kind in ("too_short", "too_long"):
        most, least = context.get("max_length"), context.get("min_length")
        return f"found {len(value)} entries; allowed: {f'at most {most}' if most else f'at least {least}'}"
    if context.get("class_name") == "TokensSpec":
        return f"found {found(value)}; allowed: {_TOKENS}"
    if kind in _ALLOWED_KINDS:
        if kind in ("int_type", "float_type") and _HAS_UNIT.fullmatch(str(value)):
            return f"found {found(value)}; allowed: {_ALLOWED_KINDS[kind]}, without a unit"
        of_keys = f": {listed(keys, _IN_SCHEMA)}" if keys else ""
        return f"found {found(value)}; allowed: {_ALLOWED_KINDS[kind]}{of_keys}"
    if kind in _ALLOWED_BOUNDS:
        return f"found {found(value)}; allowed: {_ALLOWED_BOUNDS[kind].format(**context)}"
    return f"found {found(value)}; {one['msg']}"


def _without_tag(location: Path) -> Path:
    """Drop the kind that the schema adds to the path of a workload or a fault."""
    return (*location[:2], *location[3:]) if location and location[0] in _TAGGED else location


def _written(path: Path, document: Any) -> tuple[Path, Any]:
    """Return the part of a path that the document has, and the value there.

    A short form such as `prompt_tokens: 5` has no keys of its own.
    """
    for depth, step in enumerate(path):
        inside = isinstance(document, (dict, tuple)) and (
            step in document if isinstance(document, dict) else isinstance(step, int) and step < len(document)
        )
        if not inside:
            return path[:depth], document
        document = document[step]
    return path, document


def _keys(model: type[BaseModel], location: Path) -> Iterator[str]:
    """Yield the keys of the part of the schema at the location, which includes tags; `kind` if it lacks its tag."""
    parts = [model]
    for step in location:
        if isinstance(step, int):
            continue
        if len(parts) > 1:
            parts = [part for part in parts if step in get_args(part.model_fields["kind"].annotation)]
        else:
            parts = [part for key, field in _fields(parts[0]) if key == step for part in _models(field.annotation)]
    yield from ("kind",) if len(parts) > 1 else (key for key, _ in _fields(parts[0]))


def _fields(model: type[BaseModel]) -> Iterator[tuple[str, FieldInfo]]:
    return ((field.alias or name, field) for name, field in model.model_fields.items())


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)
