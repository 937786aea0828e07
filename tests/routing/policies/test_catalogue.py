"""The built-in policies by name."""

from pkgutil import resolve_name

import pytest

from sim.routing.policies.adapter import misfit
from sim.routing.policies.catalogue import BUILT_IN, FLAWED, POLICIES
from sim.scenario.policies.sources import NoSuchPolicy, find_policy
from sim.scenario.spec.policy import PolicySpec


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_name_leads_to_a_policy_that_says_what_it_does(name: str) -> None:
    policy = resolve_name(BUILT_IN[name])

    assert misfit(policy) == ""
    assert find_policy(PolicySpec(name)) is policy
    assert policy.__doc__


def test_no_policy_with_a_mistake_is_recommended() -> None:
    with pytest.raises(NoSuchPolicy) as caught:
        find_policy(PolicySpec("nobody"))

    listed = str(caught.value)
    assert all(name in listed for name in POLICIES)
    assert not any(name in listed for name in FLAWED)
    assert not FLAWED.keys() & POLICIES.keys()


@pytest.mark.parametrize("name", FLAWED)
def test_a_policy_with_a_mistake_says_which(name: str) -> None:
    assert "The mistake: " in resolve_name(FLAWED[name]).__doc__
