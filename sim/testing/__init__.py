"""Assertions on runs for tests in Python, and the pytest plugin that makes tests of scenario files.

Every pytest imports the plugin where `sim` is installed, so an assertion is imported when it is first asked for.
"""

from typing import TYPE_CHECKING

from sim.lazy_names import lazy_names

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

__getattr__, __dir__ = lazy_names(__name__, _HOMES)
