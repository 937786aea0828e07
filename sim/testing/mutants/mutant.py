"""A mutant: a wrong version of one thing in the shared modules, which takes its place for a while."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from inspect import getdoc
from typing import Any


class NoSuchPlace(Exception):
    """What a mutant is to replace does not exist, or does so no more."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One slip."""

    name: str
    place: str
    """What it replaces: `module:name` or `module:Class.name`. Of an imported name, the module that uses it."""
    slip: str
    """What is wrong, in one sentence."""
    replacement: Any
    """What stands in that place instead."""
    seen_in: tuple[str, ...] = ()
    """Names of scenarios that should notice it, the quickest first."""


Slip = Callable[..., Any]


def in_place_of(place: str, *seen_in: str) -> Callable[[Slip], Mutant]:
    """Make a mutant of a function that stands in for the one at that place; its docstring says what is wrong."""

    def of(slip: Slip) -> Mutant:
        return Mutant(slip.__name__, place, getdoc(slip) or "", slip, seen_in)

    return of


@contextmanager
def applied(mutant: Mutant) -> Iterator[None]:
    """Put the mutant in its place within the block, for all of this process. Raises NoSuchPlace.

    Code that took a reference before the block keeps the right version, so the router has to be built within the block.
    """
    owner, name = _found(mutant)
    original = vars(owner)[name]
    is_static = isinstance(original, staticmethod)
    setattr(owner, name, staticmethod(mutant.replacement) if is_static else mutant.replacement)
    try:
        yield
    finally:
        setattr(owner, name, original)


def _found(mutant: Mutant) -> tuple[Any, str]:
    """Return the module or class that has the place, and the place's name in it."""
    module, _, path = mutant.place.partition(":")
    *classes, name = path.split(".")
    try:
        owner = import_module(module)
        for one in classes:
            owner = vars(owner)[one]
    except (ModuleNotFoundError, KeyError):
        owner = None
    if owner is None or name not in vars(owner):
        raise NoSuchPlace(f"mutant {mutant.name}: there is no {mutant.place}")
    return owner, name
