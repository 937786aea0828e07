"""Which cases of a test run for every change, and which only in its long form."""

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def mostly_short(cases: Iterable[Any], long: Collection[Any]) -> list[Any]:
    """Return the cases as values for `parametrize`, in order; those in `long` are left to the long form."""
    return [pytest.param(case, marks=pytest.mark.long) if case in long else case for case in cases]
