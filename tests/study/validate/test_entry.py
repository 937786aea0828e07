"""What the parameters of an entry may be: a table may be somebody's own."""

from typing import Any

import pytest

from sim.study.validate.catalogue import question_for
from sim.study.validate.entry import Entry
from sim.study.validate.system import CannotExpress


def asked(model: str, parameters: dict[str, Any], quantity: str = "mean_wait") -> str:
    """Return why the entry cannot be expressed."""
    entry = Entry(id="X", model=model, parameters=parameters, quantity=quantity, value=1.0)
    with pytest.raises(CannotExpress) as refused:
        question_for(entry)
    return str(refused.value)


@pytest.mark.parametrize(
    ("model", "parameters", "reason"),
    [
        ("M/M/1", {}, "the parameter lam is missing"),
        ("M/M/1", {"rho": "a"}, "the parameter rho: found 'a'; allowed: a number above 0 and below 1"),
        ("M/M/1", {"rho": 1.5}, "the parameter rho: found 1.5; allowed: a number above 0 and below 1"),
        ("M/M/1", {"rho": float("nan")}, "the parameter rho: found nan; allowed: a number above 0 and below 1"),
        ("M/M/1", {"lam": 3, "mu": 2}, "the parameters make a load of 1.5; allowed: below 1"),
        ("M/M/1", {"lam": 1, "mu": 0}, "the parameter mu: found 0; allowed: a number above 0"),
        ("M/M/c", {"rho": 0.5, "c": 2.5}, "the parameter c: found 2.5; allowed: a whole number from 1 on"),
        ("M/M/c", {"rho": 0.5, "c": True}, "the parameter c: found true; allowed: a whole number from 1 on"),
        ("TTL probe cache, singleflight", {"ttl_s": 30, "lam_per_s": 1, "probe_latency_s": -1}, "a number from 0 on"),
        ("M/G/1 FIFO", {"rho": 0.5, "service": "Erlang-3"}, "the parameter service: found 'Erlang-3'; allowed: "),
        ("M/G/1 FIFO", {"rho": 0.5, "service": "Erlang-3"}, "did you mean 'Erlang-2'?"),
    ],
)
def test_a_parameter_that_is_none_is_told_with_what_is_allowed(
    model: str, parameters: dict[str, Any], reason: str
) -> None:
    assert reason in asked(model, parameters)
