"""The plan: which requests arrive when, and that each depends on nothing but its own workload and the seed."""

import math
import pickle
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from sim import load, loads
from sim.routing.clients import Turn, User
from sim.routing.request import COLUMNS, Request
from sim.scenario import OpenRequests, Plan, make_plan

S = 1_000_000_000
TRACE = Path(__file__).parents[3] / "scenarios" / "traces" / "azure_llm_2023_conv.csv"


def plan_of(*workloads: str, more: str = "", duration: str = "100s", seed: int = 1, service: str = "mean: 1s") -> Plan:
    text = f"""
name: plan
duration: {duration}
nodes: [{{name: spark, hardware: gb10}}]
models: [{{name: other, service: {{mean: 1s}}}}, {{name: qwen3, service: {{{service}}}}}]
workload:
{chr(10).join(f"- {{model: qwen3, {workload}}}" for workload in workloads)}
{more}
"""
    return make_plan(loads(text).variants["default"], seed)


def rows_of(plan: Plan, source: int) -> list[tuple[int, ...]]:
    """Return arrival, prompt tokens, output tokens and demand of one workload's requests."""
    return [(request.arrival_ns, *size_of(request)) for request in plan.open if request.source == source]


def size_of(request: Request) -> tuple[int, int, int]:
    return request.prompt_tokens, request.output_tokens, request.demand_ns


def turns_of(user: User, count: int = 50) -> list[tuple[int, ...]]:
    """Return the times to think and the sizes of the user's first requests."""
    return [drawn_in(turn) for turn in islice(user.turns, count)]


def drawn_in(turn: Turn) -> tuple[int, ...]:
    return turn.think_ns, *size_of(turn.request)


def same(one: OpenRequests, other: OpenRequests) -> bool:
    return list(one) == list(other)


POISSON = "kind: poisson, rate: 20/s, prompt_tokens: {mean: 100}, output_tokens: {mean: 50}"
CLOSED = "kind: closed, users: 3, think: {mean: 2s}, prompt_tokens: {mean: 100}"


def test_the_same_seed_gives_the_same_plan() -> None:
    assert same(plan_of(POISSON).open, plan_of(POISSON).open)


def test_another_seed_gives_another_plan() -> None:
    one, other = plan_of(POISSON, seed=1), plan_of(POISSON, seed=2)

    assert not set(one.open["arrival_ns"].tolist()) & set(other.open["arrival_ns"].tolist())


OTHER_CIRCUMSTANCES = {
    "another workload": {"more": "- {kind: poisson, model: qwen3, rate: 5/s}"},
    "another router": {"more": "router: {profile: hardened}"},
    "a slower registry": {"more": "registry: {transaction: 9ms}"},
    "more frontends": {"more": "frontends: 5"},
}


@pytest.mark.parametrize("changes", OTHER_CIRCUMSTANCES.values(), ids=OTHER_CIRCUMSTANCES)
def test_other_circumstances_change_no_request_of_a_workload(changes: dict[str, str]) -> None:
    before, after = plan_of(POISSON, CLOSED), plan_of(POISSON, CLOSED, **changes)  # type: ignore[arg-type]

    assert rows_of(before, 0) == rows_of(after, 0)
    assert [turns_of(user) for user in before.closed_users] == [turns_of(user) for user in after.closed_users]


def test_another_size_of_requests_moves_no_arrival() -> None:
    before = plan_of("kind: poisson, rate: 20/s, prompt_tokens: 5")
    after = plan_of("kind: poisson, rate: 20/s, prompt_tokens: {mean: 9}", service="mean: 3s, distribution: uniform")

    assert before.open["arrival_ns"].tolist() == after.open["arrival_ns"].tolist()


@pytest.mark.parametrize("shape", ["exponential", "hyperexponential, cv: 3.0", "erlang, shape: 2", "uniform"])
def test_a_longer_run_begins_with_the_same_requests(shape: str) -> None:
    service = f"mean: 1s, distribution: {shape}"

    short = plan_of(POISSON, service=service, duration="100s")
    long = plan_of(POISSON, service=service, duration="1000s")

    assert list(long.open)[: len(short.open)] == list(short.open)


def test_requests_come_as_python_integers_in_order_of_arrival_and_before_the_end() -> None:
    requests = list(plan_of(POISSON, "kind: uniform, rate: 100/s").open)

    assert all(type(getattr(request, name)) is int for request in requests for name in COLUMNS if name != "model")
    arrivals = [request.arrival_ns for request in requests]
    assert arrivals == sorted(arrivals)
    assert arrivals[-1] < 100 * S


def test_requests_at_the_same_instant_go_by_workload_then_by_number() -> None:
    burst = "kind: burst, at: 5s, requests: 2, prompt_tokens: {}"

    plan = plan_of(burst.format(1), burst.format(2), burst.format(3))

    assert [request.source for request in plan.open] == [0, 0, 1, 1, 2, 2]
    assert [request.prompt_tokens for request in plan.open] == [1, 1, 2, 2, 3, 3]


def test_requests_of_a_workload_go_round_the_frontends() -> None:
    plan = plan_of("kind: burst, at: 5s, requests: 5", "kind: burst, at: 6s, requests: 2", more="frontends: 3")

    assert [request.frontend for request in plan.open] == [0, 1, 2, 0, 1, 0, 1]


def test_a_request_names_its_model_by_index() -> None:
    assert [request.model for request in plan_of("kind: burst, at: 5s, requests: 1").open] == ["qwen3"]


def test_poisson_arrivals_keep_their_rate() -> None:
    arrivals = plan_of("kind: poisson, rate: 100/s", duration="1000s").open["arrival_ns"]

    # Five standard deviations of the count: a correct rate fails with a probability of 6e-7 per seed.
    assert len(arrivals) == pytest.approx(100_000, abs=5 * math.sqrt(100_000))


def test_poisson_gaps_vary_as_an_exponential_does() -> None:
    gaps = np.diff(plan_of("kind: poisson, rate: 100/s", duration="1000s").open["arrival_ns"])

    # By the delta method the squared cv of n exponential gaps has a variance of 4/n; five of its standard errors.
    assert (gaps.std() / gaps.mean()) ** 2 == pytest.approx(1, abs=5 * math.sqrt(4 / len(gaps)))


def test_poisson_arrivals_keep_to_start_and_stop() -> None:
    arrivals = plan_of("kind: poisson, rate: 100/s, start: 40s, stop: 60s").open["arrival_ns"]

    assert 40 * S <= arrivals.min() < 41 * S
    assert 59 * S < arrivals.max() < 60 * S


def test_a_rate_far_below_one_request_in_the_run_gives_none_or_few() -> None:
    assert len(plan_of("kind: poisson, rate: 0.000000001/s", duration="2400h").open) <= 1


def test_uniform_arrivals_are_evenly_spaced_from_one_spacing_after_the_start() -> None:
    arrivals = plan_of("kind: uniform, rate: 3/s, start: 10s, stop: 12s").open["arrival_ns"].tolist()

    assert arrivals == [10_333_333_333, 10_666_666_667, 11 * S, 11_333_333_333, 11_666_666_667]


def test_a_burst_comes_at_once() -> None:
    assert plan_of("kind: burst, at: 5s, requests: 3").open["arrival_ns"].tolist() == [5 * S] * 3


def test_a_burst_repeats_until_its_stop() -> None:
    plan = plan_of("kind: burst, at: 5s, requests: 2, every: 10s, stop: 25s")

    assert plan.open["arrival_ns"].tolist() == [5 * S, 5 * S, 15 * S, 15 * S]


def test_a_spread_burst_falls_anywhere_within_its_spread() -> None:
    arrivals = plan_of("kind: burst, at: 5s, requests: 10000, spread: 4s").open["arrival_ns"]

    assert arrivals.min() >= 5 * S
    assert arrivals.max() < 9 * S
    # Five standard errors of the mean of a uniform law: a false alarm in 6e-7 of seeds.
    assert arrivals.mean() == pytest.approx(7 * S, abs=5 * 4 * S / math.sqrt(12 * 10_000))


def test_a_spread_burst_that_reaches_past_the_end_is_cut_there() -> None:
    arrivals = plan_of("kind: burst, at: 99s, requests: 1000, spread: 2s").open["arrival_ns"]

    assert 400 < len(arrivals) < 600
    assert arrivals.max() < 100 * S


def test_drawn_service_demands_have_their_mean() -> None:
    demands = plan_of("kind: poisson, rate: 100/s", duration="1000s").open["demand_ns"]

    # Five standard errors of the mean of an exponential law: a false alarm in 6e-7 of seeds.
    assert demands.mean() == pytest.approx(S, abs=5 * S / math.sqrt(len(demands)))
    assert demands.min() >= 1


def test_service_by_tokens_draws_no_demand() -> None:
    plan = plan_of(POISSON, service="profile: gpt-oss-20b")

    assert not plan.open["demand_ns"].any()
    assert plan.open["prompt_tokens"].min() >= 1


def test_constant_tokens_and_times_are_the_same_in_every_request() -> None:
    plan = plan_of("kind: uniform, rate: 1/s, prompt_tokens: 7", service="mean: 2s, distribution: deterministic")

    assert {size_of(request) for request in plan.open} == {(7, 0, 2 * S)}


def test_each_user_has_streams_of_its_own_which_more_users_do_not_change() -> None:
    three, five = plan_of(CLOSED), plan_of(CLOSED.replace("users: 3", "users: 5"))

    calls = [turns_of(user) for user in five.closed_users]
    assert calls[:3] == [turns_of(user) for user in three.closed_users]
    assert len({tuple(each) for each in calls}) == 5


def test_users_that_take_turns_draw_what_each_draws_alone() -> None:
    alone = [turns_of(user) for user in plan_of(CLOSED).closed_users]

    users = plan_of(CLOSED).closed_users
    turns = [[drawn_in(next(user.turns)) for user in users] for _ in range(50)]

    assert [list(calls) for calls in zip(*turns, strict=True)] == alone


def test_the_users_of_a_plan_are_new_each_time() -> None:
    plan = plan_of(CLOSED)

    first = turns_of(plan.closed_users[0])

    assert turns_of(plan.closed_users[0]) == first


def test_users_know_their_place_and_time() -> None:
    plan = plan_of(POISSON, CLOSED[:-1] + "}, start: 5s, stop: 200s", more="frontends: 2")

    assert [(user.frontend, user.start_ns, user.stop_ns) for user in plan.closed_users] == [
        (0, 5 * S, 100 * S), (1, 5 * S, 100 * S), (0, 5 * S, 100 * S),
    ]  # fmt: skip
    first = [next(user.turns).request for user in plan.closed_users]
    assert [(request.source, request.model, request.frontend) for request in first] == [
        (1, "qwen3", 0), (1, "qwen3", 1), (1, "qwen3", 0),
    ]  # fmt: skip


def test_a_constant_think_time_is_that_time() -> None:
    user = plan_of("kind: closed, users: 1, think: 2s, output_tokens: 3").closed_users[0]

    assert {(think_ns, output_tokens) for think_ns, _, output_tokens, _ in turns_of(user)} == {(2 * S, 3)}


def test_a_plan_of_closed_workloads_alone_has_no_open_requests() -> None:
    plan = plan_of(CLOSED)

    assert (len(plan.open), list(plan.open), len(plan.closed_users)) == (0, [], 3)


def test_a_plan_survives_the_way_to_another_process() -> None:
    plan = plan_of(POISSON, CLOSED)

    copy = pickle.loads(pickle.dumps(plan))

    assert same(copy.open, plan.open)
    assert turns_of(copy.closed_users[0]) == turns_of(plan.closed_users[0])


def trace_plan(folder: Path, keys: str) -> Plan:
    path = folder / "trace.yaml"
    path.write_text(
        "name: trace\nduration: 1h\nnodes: [{name: spark, hardware: gb10}]\n"
        "models: [{name: m, service: {profile: gpt-oss-20b}}]\n"
        f"workload: [{{kind: trace, model: m, file: {TRACE.name}{keys}}}]\n"
    )
    return make_plan(load(path, allow_dirs=[TRACE.parent]).variants["default"], seed=1)


def test_the_shipped_trace_has_the_published_size_rate_and_medians(tmp_path: Path) -> None:
    requests = trace_plan(tmp_path, "").open

    # Splitwise (Patel et al., ISCA 2024): 19,366 rows, median prompt 1020 and output 129 tokens.
    assert len(requests) == 19_366
    assert np.median(requests["prompt_tokens"]) == 1020
    assert np.median(requests["output_tokens"]) == 129
    assert requests["arrival_ns"][-1] == 3_501_721_937_000


TRACE_CUTS = {
    "first rows": (", limit: 2", [0, 4_314_579_000]),
    "stretched": (", limit: 2, stretch: 20", [0, 86_291_580_000]),
    "later": (", limit: 2, start: 10s", [10 * S, 14_314_579_000]),
    "until a stop": (", stop: 4314579us", [0]),
    "stretched past the end": (", limit: 2, stretch: 1000000.0", [0]),
}


@pytest.mark.parametrize(("keys", "expected_ns"), TRACE_CUTS.values(), ids=TRACE_CUTS)
def test_a_trace_is_cut_moved_and_stretched(tmp_path: Path, keys: str, expected_ns: list[int]) -> None:
    assert trace_plan(tmp_path, keys).open["arrival_ns"].tolist() == expected_ns


def test_requests_of_a_trace_bring_the_tokens_of_their_rows(tmp_path: Path) -> None:
    assert [size_of(request) for request in trace_plan(tmp_path, ", limit: 2").open] == [(374, 44, 0), (396, 109, 0)]
