"""The page of all built-in policies."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from itertools import pairwise
from textwrap import dedent

from sim.routing.policies.catalogue import POLICIES

INTRODUCTION = """# Policies

A policy decides which replica gets a request. A scenario names it, as in `router: {policy: round_robin}`, or with keys
of its own, as in `router: {policy: {name: power_of_d, d: 3}}`. [Which policy for whom](../explanation/which-policy.md)
compares them on four loads; [bring your own router](../how-to/bring-your-own-router.md) adds one.
"""
HEAD = "| Key | Without it | What it says |\n| --- | --- | --- |"


def drawn() -> str:
    """What each policy does and whose it is, with its keys."""
    return "\n".join([INTRODUCTION, *(_section(name, place) for name, place in POLICIES.items())])


def _section(name: str, place: str) -> str:
    module, _, attribute = place.partition(":")
    policy = getattr(import_module(module), attribute)
    told = inspect.getdoc(policy)
    assert told is not None
    keys = getattr(policy, "parameters", None)
    table = "" if keys is None else "\n".join(["", HEAD, *_rows(keys), ""])
    return f"## `{name}`\n\n{told}\n{table}"


def _rows(keys: type) -> Iterator[str]:
    meanings = {name: told for one in keys.__mro__[-2::-1] for name, told in _meanings(one).items()}
    defaults = keys()
    for field in fields(keys):
        default = getattr(defaults, field.name)
        shown = f"{default:.3g}" if isinstance(default, float) else str(default).lower()
        yield f"| `{field.name}` | `{shown}` | {meanings[field.name]} |"


def _meanings(keys: type) -> dict[str, str]:
    """The sentence below each field, which Python does not keep."""
    [body] = [one.body for one in ast.parse(dedent(inspect.getsource(keys))).body if isinstance(one, ast.ClassDef)]
    found = {}
    for field, below in pairwise(body):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            found[field.target.id] = " ".join(ast.literal_eval(below.value).split())
    return found
