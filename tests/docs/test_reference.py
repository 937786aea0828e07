"""The reference says what the code does: pages that are made from it are current, and every help has an example."""

import pytest

from sim.routing.policies.catalogue import POLICIES
from sim.scenario import FAULT_KINDS
from tests.docs import metric_table
from tests.docs.draw import DRAWN
from tests.docs.pages import page, text
from tests.docs.reference.commands import commands


@pytest.mark.parametrize("name", DRAWN)
def test_a_page_made_from_the_code_is_current(name: str) -> None:
    assert text(page(name)) == DRAWN[name](), "draw it anew: python -m tests.docs.draw"


def test_the_table_of_metrics_is_what_the_catalogue_says() -> None:
    assert metric_table.on_its_page() == metric_table.drawn(), "draw it anew: python -m tests.docs.metric_table"


def test_every_fault_and_policy_has_a_section() -> None:
    faults, policies = text(page("reference/faults")), text(page("reference/policies"))

    assert [kind for kinds in FAULT_KINDS.values() for kind in kinds if f"\n### `{kind}`\n" not in faults] == []
    assert [name for name in POLICIES if f"\n## `{name}`\n" not in policies] == []


def test_every_key_of_a_scenario_says_what_it_is() -> None:
    rows = [line for line in text(page("reference/scenario")).splitlines() if line.startswith("| `")]

    assert len(rows) > 100
    assert [row for row in rows if row.endswith("|  |")] == []


@pytest.mark.parametrize("name", commands())
def test_the_help_of_a_command_has_an_example_of_it(name: str) -> None:
    examples = commands()[name].epilog.partition("Examples:\n")[2].partition("\n\n")[0]

    assert f"  sim {name}" in examples
