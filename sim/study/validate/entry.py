"""Reference figures, one an entry, as a JSON file holds them."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from importlib.resources import files
from math import inf
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from sim.scenario.text.errors import did_you_mean, found, listed
from sim.study.validate.system import CannotExpress

T = TypeVar("T")

PRINTED_KINDS = ("published", "numeric", "simulation")
"""Kinds of values that are known to the digits that were printed, and no further."""
_FEWEST_DIGITS = 3
"""A value with fewer decimals is taken for exact: 2.5 hardly stands for anything from 2.45 to 2.55."""
_MANY_DIGITS = 9
"""A value with so many decimals was cut there, even if a formula gave it."""


class BadEntries(ValueError):
    """A file holds no entries, or wrong ones. The message has a line for each fault."""


class Entry(BaseModel):
    """A reference figure: what is modelled, with which parameters, and what somebody else found."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(min_length=1)
    model: str = Field(min_length=1)
    parameters: Mapping[str, Any] = {}
    quantity: str
    value: float | list[float]
    kind: str = ""
    """How the value came about, such as `closed-form` or `simulation`."""
    source: str = ""
    standard_error: float | None = Field(default=None, ge=0)
    """Of the value, where it is an estimate itself; in the unit of the value."""

    @property
    def number(self) -> float:
        """The value; TypeError if it is a list."""
        if isinstance(self.value, list):
            raise TypeError(f"{self.id}: the value is not one number")
        return self.value

    @property
    def resolution(self) -> float:
        """Half a unit of the last printed decimal; 0 for a value that is exact."""
        if isinstance(self.value, list):
            return 0.0
        exponent = Decimal(repr(self.value)).normalize().as_tuple().exponent
        decimals = -exponent if isinstance(exponent, int) else 0
        fewest = _FEWEST_DIGITS if self.kind in PRINTED_KINDS else _MANY_DIGITS
        return 0.5 * 10.0**-decimals if decimals >= fewest else 0.0

    def whole(self, name: str) -> int:
        """Return the parameter, a whole number from 1 on. Raises CannotExpress, as those below do."""
        return int(self._number(name, "a whole number from 1 on", lambda value: isinstance(value, int) and value >= 1))

    def positive(self, name: str) -> float:
        """Return the parameter, a number above 0."""
        return self._number(name, "a number above 0", lambda value: 0 < value < inf)

    def not_negative(self, name: str) -> float:
        """Return the parameter, a number from 0 on."""
        return self._number(name, "a number from 0 on", lambda value: 0 <= value < inf)

    def below_one(self, name: str) -> float:
        """Return the parameter, a number above 0 and below 1."""
        return self._number(name, "a number above 0 and below 1", lambda value: 0 < value < 1)

    def one_of(self, name: str, known: Mapping[str, T]) -> T:
        """Return what the parameter, a name, stands for."""
        value = self._given(name)
        if not isinstance(value, str) or value not in known:
            hint = did_you_mean(str(value), known)
            raise CannotExpress(f"the parameter {name}: found {found(value)}; allowed: {listed(known)}{hint}")
        return known[value]

    def _number(self, name: str, allowed: str, is_allowed: Callable[[float], bool]) -> float:
        value = self._given(name)
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not is_allowed(value):
            raise CannotExpress(f"the parameter {name}: found {found(value)}; allowed: {allowed}")
        return value

    def _given(self, name: str) -> Any:
        if name not in self.parameters:
            raise CannotExpress(f"the parameter {name} is missing")
        return self.parameters[name]


class _File(BaseModel):
    entries: list[Entry]


def shipped_entries() -> list[Entry]:
    """Return the figures that come with the package."""
    return _entries(files("sim.study.validate").joinpath("ground_truth.json").read_bytes(), "ground_truth.json")


def read_entries(path: Path) -> list[Entry]:
    """Read `{"entries": [{"id", "model", "parameters", "quantity", "value", "kind", "source", ...}]}`.

    Raises BadEntries for a file that cannot be read or is not of this form, and for ids that come twice.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise BadEntries(f"{path}: cannot be read: {error.strerror}") from None
    return _entries(content, str(path))


def _entries(content: bytes, name: str) -> list[Entry]:
    try:
        entries = _File.model_validate_json(content).entries
    except ValidationError as error:
        faults = (f"{name}: {_place(one['loc'])}{one['msg']}" for one in error.errors())
        raise BadEntries("\n".join(faults)) from None
    ids = [entry.id for entry in entries]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise BadEntries(f"{name}: found more than one entry of the id {', '.join(twice)}; allowed: each id once")
    return entries


def _place(path: tuple[int | str, ...]) -> str:
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in path)
    place = "".join(parts).lstrip(".")
    return f"{place}: " if place else ""
