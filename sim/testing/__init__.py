"""Assertions on runs for tests in Python, and the pytest plugin that makes tests of scenario files.

Every pytest imports the plugin where `sim` is installed, so an assertion is imported when it is first asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

__all__ = [
    "assert_balanced",
    "assert_no_leak",
    "assert_no_row_removed_alive",
    "assert_not_worse",
    "assert_same_decisions",
]

if TYPE_CHECKING:
    from sim.testing.balance import assert_balanced
    from sim.testing.decisions import assert_same_decisions
    from sim.testing.not_worse import assert_not_worse
    from sim.testing.registry_rows import assert_no_leak, assert_no_row_removed_alive

_HOMES = {
    "assert_balanced": "sim.testing.balance",
    "assert_not_worse": "sim.testing.not_worse",
    "assert_same_decisions": "sim.testing.decisions",
    **dict.fromkeys(("assert_no_leak", "assert_no_row_removed_alive"), "sim.testing.registry_rows"),
}


def __getattr__(name: str) -> Any:
    """Import an assertion when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module 'sim.testing' has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """List the assertions, whether or not they were imported."""
    return sorted({*globals(), *__all__})
