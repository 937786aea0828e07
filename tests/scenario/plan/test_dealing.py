"""Which frontend takes which request, and what stream of arrivals each frontend then sees."""

from collections.abc import Sequence

import numpy as np
import pytest

from sim import loads
from sim.scenario import Plan, make_plan

POISSON = "kind: poisson, rate: 40/s"
BURST = "kind: burst, at: 5s, requests: 40"
CLOSED = "kind: closed, users: 40"


def plan_of(*workloads: str, frontends: str, seed: int = 1) -> Plan:
    text = f"""
name: dealt
duration: 500s
nodes: [{{name: spark}}]
models: [{{name: m, service: {{mean: 1s}}}}]
workload:
{chr(10).join(f"- {{model: m, {workload}}}" for workload in workloads)}
frontends: {frontends}
"""
    (scenario,) = loads(text).variants.values()
    return make_plan(scenario, seed)


def dealt(plan: Plan, source: int = 0) -> list[int]:
    return [request.frontend for request in plan.open if request.source == source]


def users_of(plan: Plan) -> list[int]:
    return [user.frontend for user in plan.closed_users]


def variation_of_gaps(plan: Plan, frontend: int) -> float:
    """Return the coefficient of variation of the gaps between the arrivals that a frontend sees."""
    gaps = np.diff(plan.open["arrival_ns"][plan.open["frontend"] == frontend])
    return float(gaps.std() / gaps.mean())


def test_a_number_of_frontends_stands_for_requests_dealt_in_turn() -> None:
    number, written = plan_of(BURST, frontends="3"), plan_of(BURST, frontends="{count: 3, dealing: round_robin}")

    assert dealt(number) == dealt(written) == [index % 3 for index in range(40)]


@pytest.mark.parametrize("dealing", ["round_robin", "random", "hash"])
def test_dealing_changes_nothing_else_of_a_request(dealing: str) -> None:
    alone, dealt_out = plan_of(POISSON, frontends="1"), plan_of(POISSON, frontends=f"{{count: 4, dealing: {dealing}}}")

    for column in ("arrival_ns", "demand_ns", "source"):
        assert np.array_equal(alone.open[column], dealt_out.open[column])


# The gaps of a Poisson stream at each of 4 frontends: Erlang-4 in turn, exponential at random.
@pytest.mark.parametrize(("dealing", "variation"), [("round_robin", 1 / np.sqrt(4)), ("random", 1.0)])
def test_a_frontend_sees_the_stream_that_theory_says(dealing: str, variation: float) -> None:
    plan = plan_of(POISSON, frontends=f"{{count: 4, dealing: {dealing}}}")

    counts = np.bincount(plan.open["frontend"], minlength=4)
    assert counts == pytest.approx([500 * 40 / 4] * 4, rel=0.06)
    assert [variation_of_gaps(plan, frontend) for frontend in range(4)] == pytest.approx([variation] * 4, rel=0.06)


def test_by_hash_all_requests_of_a_workload_go_to_one_frontend_and_workloads_to_several() -> None:
    plan = plan_of(*[BURST] * 12, frontends="{count: 4, dealing: hash}")

    homes = [set(dealt(plan, source)) for source in range(12)]
    assert {len(home) for home in homes} == {1}
    assert len(set.union(*homes)) > 1


def takers(plan: Plan) -> Sequence[int]:
    return [*dealt(plan), *users_of(plan)]


@pytest.mark.parametrize("dealing", ["random", "hash"])
def test_what_is_drawn_follows_from_the_seed_and_from_the_workload_alone(dealing: str) -> None:
    frontends = f"{{count: 4, dealing: {dealing}}}"

    assert takers(plan_of(BURST, CLOSED, frontends=frontends)) == takers(plan_of(BURST, CLOSED, frontends=frontends))
    assert takers(plan_of(BURST, CLOSED, frontends=frontends)) != takers(
        plan_of(BURST, CLOSED, frontends=frontends, seed=2)
    )
    assert dealt(plan_of(BURST, frontends=frontends)) == dealt(plan_of(BURST, POISSON, frontends=frontends))


@pytest.mark.parametrize("dealing", ["round_robin", "random", "hash"])
def test_a_user_keeps_one_frontend_and_the_users_are_spread(dealing: str) -> None:
    plan = plan_of(CLOSED, frontends=f"{{count: 4, dealing: {dealing}}}")

    users = plan.closed_users
    assert all(next(user.turns).request.frontend == user.frontend for user in users for _ in range(3))
    assert {user.frontend for user in users} == {0, 1, 2, 3}
