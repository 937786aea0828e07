"""The loads on which policies are compared, and the page that tells what came of it."""

import pytest

from sim.routing.policies.catalogue import POLICIES
from tests.policies.loads import BASE, EQUAL_HERE, LOADS
from tests.policies.table import ADVICE, PAGE
from tests.scenarios.shipped import scenario_file


@pytest.mark.parametrize("name", LOADS)
def test_each_load_has_a_variant_for_every_built_in_policy_that_it_does_not_leave_out(name: str) -> None:
    file = scenario_file(f"policies/{name}")

    policies = {variant.router.policy.name for variant in file.variants.values()}
    assert policies == POLICIES.keys() - EQUAL_HERE.keys()
    assert next(iter(file.variants)) == BASE


def test_the_variants_of_a_load_differ_in_their_policies_only() -> None:
    for name in LOADS:
        variants = scenario_file(f"policies/{name}").variants
        alike = variants[BASE].router.policy
        same = {str(one.model_copy(update={"router": one.router.model_copy(update={"policy": alike})}))
                for one in variants.values()}  # fmt: skip
        assert len(same) == 1


def test_the_page_has_every_load_and_every_policy_and_the_advice() -> None:
    page = PAGE.read_text(encoding="utf-8")

    for load_name in LOADS:
        section = page.split(f"scenarios/policies/{load_name}.yaml)")[1].split("\n## ")[0]
        for variant in scenario_file(f"policies/{load_name}").variants:
            assert f"| `{variant}` |" in section, (load_name, variant)
    assert ADVICE.read_text(encoding="utf-8").strip() in page
