"""The page of known regressions leaves none out. Its figures are dated; the command that draws it takes minutes."""

import re

from sim.routing.policies.catalogue import POLICIES
from tests.regressions.shipped import NAMES, loaded
from tests.regressions.table import PAGE


def rows(section: str) -> list[list[str]]:
    """Return the cells of the table in a section, its head first."""
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def test_every_regression_has_a_row_that_links_to_its_file() -> None:
    _, whole, _ = re.split(r"^# |^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)

    _, _, *lines = rows(whole)

    assert [line[0] for line in lines] == [f"[{name}](../../scenarios/regressions/{name}.yaml)" for name in NAMES]


def test_every_regression_that_a_policy_brings_about_has_a_row_of_policies_that_come_with_sim() -> None:
    _, _, policies = re.split(r"^# |^## ", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)

    head, _, *lines = rows(policies)

    assert {name.removesuffix(", locked") for name in head if name} <= set(POLICIES)
    assert [line[0].rstrip("*") for line in lines] == [name for name in NAMES if loaded(name)[1].check_in is not None]


def test_the_page_says_when_and_how_it_was_drawn() -> None:
    text = PAGE.read_text(encoding="utf-8")

    assert re.search(r"measured on \d{4}-\d{2}-\d{2} by\s+`python -m tests\.regressions\.table`", text)
