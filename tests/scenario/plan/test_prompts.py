"""Prompts: which of them begin alike, and for how long."""

from collections import Counter
from itertools import combinations, islice
from pathlib import Path

from scipy import stats

from sim import load, loads
from sim.routing.request import Chain, Request
from sim.scenario import Plan, make_plan

FAMILIES, SHARED, OWN = 4, 3, 2
FALSE_ALARM = 1e-6
"""Odds that the draws are refused though they are right; they are the same in every run."""
PROMPTS = f"prompts: {{families: {FAMILIES}, shared_blocks: {SHARED}, own_blocks: {OWN}}}"
POISSON = f"kind: poisson, rate: 20/s, {PROMPTS}"
CLOSED = f"kind: closed, users: 3, think: 1s, {PROMPTS}"


def plan_of(*workloads: str, seed: int = 1) -> Plan:
    return make_plan(loads(scenario_of(*workloads)).variants["default"], seed)


def scenario_of(*workloads: str) -> str:
    lines = "\n".join(f"  - {{model: m, {workload}}}" for workload in workloads)
    start = "name: prompts\nduration: 100s\nnodes: [{name: n}]\nmodels: [{name: m, service: {mean: 1s}}]\nworkload:\n"
    return start + lines


def chains_of(plan: Plan, source: int = 0) -> list[Chain]:
    return [request.chain for request in plan.open if request.source == source]


def requests_of_users(plan: Plan, count: int = 40) -> list[list[Request]]:
    return [[turn.request for turn in islice(user.turns, count)] for user in plan.closed_users]


def alike(one: Chain, other: Chain) -> int:
    """Return the number of leading blocks that two prompts share; they share none after those."""
    leading = next((place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]), len(one))
    assert not set(one[leading:]) & set(other[leading:])
    return leading


def test_prompts_of_a_family_share_their_first_blocks_and_others_none() -> None:
    chains = chains_of(plan_of(POISSON))[:200]

    assert {len(chain) for chain in chains} == {SHARED + OWN}
    assert {alike(*pair) for pair in combinations(chains, 2)} == {0, SHARED}
    assert len({chain[:SHARED] for chain in chains}) == FAMILIES


def test_families_are_equally_likely() -> None:
    counts = Counter(chain[0] for chain in chains_of(plan_of(POISSON)))

    assert len(counts) == FAMILIES
    assert stats.chisquare(list(counts.values())).pvalue >= FALSE_ALARM


def test_users_share_their_families() -> None:
    by_user = requests_of_users(plan_of(CLOSED))
    chains = [request.chain for requests in by_user for request in requests]

    assert {alike(*pair) for pair in combinations(chains, 2)} == {0, SHARED}
    assert {chain[:SHARED] for chain in chains} == {request.chain[:SHARED] for request in by_user[0]}


def test_workloads_have_no_prompt_in_common() -> None:
    plan = plan_of(POISSON, POISSON)
    one, other = ({block for chain in chains_of(plan, source) for block in chain} for source in (0, 1))

    assert one
    assert other
    assert not one & other


def test_a_workload_that_says_nothing_of_prompts_has_none_and_changes_none() -> None:
    alone, beside = plan_of(POISSON), plan_of(POISSON, "kind: poisson, rate: 9/s")

    assert set(chains_of(beside, source=1)) == {()}
    assert chains_of(beside) == chains_of(alone)


def test_prompts_change_nothing_else_of_a_workload() -> None:
    without, with_prompts = plan_of("kind: poisson, rate: 20/s"), plan_of(POISSON)

    assert without.open["arrival_ns"].tolist() == with_prompts.open["arrival_ns"].tolist()
    assert without.open["demand_ns"].tolist() == with_prompts.open["demand_ns"].tolist()


def test_another_seed_draws_other_families() -> None:
    one, other = (chains_of(plan_of("kind: uniform, rate: 2/s, " + PROMPTS, seed=seed)) for seed in (1, 2))

    assert [chain[0] for chain in one] != [chain[0] for chain in other]


def test_the_prompts_of_a_trace_are_those_of_its_rows(tmp_path: Path) -> None:
    (tmp_path / "trace.csv").write_text("t,in,out,blocks\n0,5,6,0 4-5\n1,7,8,0-1\n", encoding="utf-8")
    columns = "columns: {arrival: t, prompt: in, output: out, blocks: blocks}"
    path = tmp_path / "traced.yaml"
    path.write_text(scenario_of(f"kind: trace, file: trace.csv, {columns}"), encoding="utf-8")

    assert chains_of(make_plan(load(path).variants["default"], 1)) == [(0, 4, 5), (0, 1)]
