"""The loads on which policies are compared, and the page that tells what came of it."""

from pathlib import Path

import pytest

from sim import load
from sim.routing.policies.catalogue import POLICIES
from tests.policies.loads import BASE, EQUAL_HERE, FOLDER, LOADS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "policies.md"
ADVICE = Path(__file__).with_name("advice.md")


@pytest.mark.parametrize("name", LOADS)
def test_each_load_has_a_variant_for_every_built_in_policy_that_it_does_not_leave_out(name: str) -> None:
    file = load(FOLDER / f"{name}.yaml")

    policies = {variant.router.policy.name for variant in file.variants.values()}
    assert policies == POLICIES.keys() - EQUAL_HERE.keys()
    assert next(iter(file.variants)) == BASE


def test_the_variants_of_a_load_differ_in_their_policies_only() -> None:
    for name in LOADS:
        variants = load(FOLDER / f"{name}.yaml").variants
        alike = variants[BASE].router.policy
        same = {str(one.model_copy(update={"router": one.router.model_copy(update={"policy": alike})}))
                for one in variants.values()}  # fmt: skip
        assert len(same) == 1


def test_the_page_has_every_load_and_every_policy_and_the_advice() -> None:
    page = PAGE.read_text(encoding="utf-8")

    for load_name in LOADS:
        section = page.split(f"scenarios/policies/{load_name}.yaml)")[1].split("\n## ")[0]
        for variant in load(FOLDER / f"{load_name}.yaml").variants:
            assert f"| `{variant}` |" in section, (load_name, variant)
    assert ADVICE.read_text(encoding="utf-8").strip() in page
