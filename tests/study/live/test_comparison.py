"""How closely a live run has to agree with its simulated twins: figures doctored to stay inside and to fall outside."""

from dataclasses import replace

import pytest

from sim import loads
from sim.measure.result import RunResult
from sim.study.live.comparison import COUNTS, SHARES, TIMES, compare_figure, compare_runs, compare_verdicts
from sim.study.run import run

TEXT = """
name: two
duration: 20s
nodes: [{name: a}, {name: b}]
models: [{name: m, service: {mean: 1s}, replicas: [{node: a}, {node: b}]}]
workload: [{kind: uniform, model: m, rate: 1/s}]
variants: {pinned: {router: {profile: pinned}}, fixed: {}}
expect:
  - {variant: fixed, metric: fairness.busiest_share, below: pinned}
  - {variant: fixed, metric: requests.completed, above: pinned}
"""
FILE = loads(TEXT)
PINNED, FIXED = run(FILE, "pinned", 1), run(FILE, "fixed", 1)
MACHINE_S = 0.01


def doctored(result: RunResult, **changed: float) -> RunResult:
    """Return the result with other figures; `__` stands for the dot in a name."""
    return replace(result, metrics=result.metrics | {name.replace("__", "."): value for name, value in changed.items()})


def outside(live: RunResult, *simulated: RunResult) -> list[str]:
    """Return the metrics that do not agree."""
    return [row.metric for row in compare_runs("fixed", live, simulated, MACHINE_S) if not row.passed]


def test_a_run_agrees_with_itself_in_every_figure() -> None:
    rows = list(compare_runs("fixed", FIXED, [FIXED, FIXED], MACHINE_S))

    assert all(row.passed for row in rows)
    assert {row.metric for row in rows} == {*COUNTS, *TIMES, *SHARES, "replicas.a#0.share", "replicas.b#0.share"}


@pytest.mark.parametrize("name", COUNTS)
def test_a_count_on_which_all_replications_agree_must_be_the_very_same(name: str) -> None:
    one_more = doctored(FIXED, **{name: FIXED.metrics[name] + 1})

    assert outside(one_more, FIXED, FIXED) == [name]


@pytest.mark.parametrize("name", TIMES)
def test_a_time_may_be_off_by_its_tolerance_and_the_machines_pace_and_no_more(name: str) -> None:
    twin = doctored(FIXED, **{name: 2.0})
    off = 0.5 if name.startswith("route") else 0.2

    assert outside(doctored(FIXED, **{name: 2 + off + 0.9 * MACHINE_S}), twin, twin) == []
    assert outside(doctored(FIXED, **{name: 2 - off - 0.9 * MACHINE_S}), twin, twin) == []
    assert outside(doctored(FIXED, **{name: 2 + off + 1.1 * MACHINE_S}), twin, twin) == [name]
    assert outside(doctored(FIXED, **{name: 2 - off - 1.1 * MACHINE_S}), twin, twin) == [name]


def test_twenty_times_the_simulated_route_does_not_pass() -> None:
    twin, live = doctored(FIXED, route__p99_s=0.03), doctored(FIXED, route__p99_s=0.69)

    assert outside(live, twin, twin) == ["route.p99_s"]


@pytest.mark.parametrize(
    ("simulated", "step", "least", "most"),
    [((4, 10, 6), 0, 1, 13), ((4, 10, 6), 1, 1, 13), ((2, 3), 1, 1, 4), ((2, 3), 0, 1.5, 3.5), ((3, 3), 1, 3, 3)],
)
def test_where_replications_differ_half_of_their_range_is_allowed_on_each_side_or_a_step(
    simulated: tuple[int, ...], step: float, least: float, most: float
) -> None:
    def passes(live: float) -> bool:
        return compare_figure("m", "fixed", {"m": live}, [{"m": one} for one in simulated], step=step).passed

    assert passes(least)
    assert passes(most)
    assert not passes(least - 0.1)
    assert not passes(most + 0.1)


@pytest.mark.parametrize("name", ["fairness.jain", "fairness.busiest_share", "replicas.a#0.share"])
def test_a_share_may_be_off_by_a_fiftieth(name: str) -> None:
    inside, off = FIXED.metrics[name] - 0.019, FIXED.metrics[name] - 0.021

    assert outside(doctored(FIXED, **{name: inside}), FIXED) == []
    assert outside(doctored(FIXED, **{name: off}), FIXED) == [name]


@pytest.mark.parametrize(
    ("live", "simulated", "agrees"),
    [
        ({}, [{"m": 1.0}, {"m": 1.0}], False),
        ({"m": 1.0}, [{}, {}], False),
        ({}, [{}, {}], True),
        ({}, [{"m": 1.0}, {}], True),
        ({"m": 1.0}, [{"m": 1.0}, {}], True),
    ],
    ids=["live only absent", "simulated only absent", "both absent", "live as one of them", "live as the other"],
)
def test_what_applies_to_one_side_alone_does_not_agree(
    live: dict[str, float], simulated: list[dict[str, float]], agrees: bool
) -> None:
    assert compare_figure("m", "fixed", live, simulated).passed is agrees


UNLOADED = """
name: one_ends
duration: 60s
nodes: [{name: a}, {name: b}]
models: [{name: m, backend: {load_time: 1s}, service: {mean: 1s}, replicas: [{node: a}, {node: b}]}]
workload: [{kind: uniform, model: m, rate: 1/s}]
faults: [{kind: replica_exit, model: m, node: a, at: 10s}]
"""


def test_whether_an_unloaded_process_outlives_its_row_is_a_race() -> None:
    twin = run(loads(UNLOADED), seed=1)
    unloaded = int((twin.events["cause"] == "model_unloaded").sum())
    assert unloaded > 0

    raced = doctored(twin, rows__removed_alive=twin.metrics["rows.removed_alive"] + unloaded)
    beyond = doctored(twin, rows__removed_alive=twin.metrics["rows.removed_alive"] + unloaded + 1)

    assert outside(raced, twin) == []
    assert outside(beyond, twin) == ["rows.removed_alive"]


def test_each_fault_may_catch_one_request_more_or_less() -> None:
    twin = run(loads(UNLOADED), seed=1)
    completed, failed = twin.metrics["requests.completed"], twin.metrics["requests.failed"]
    assert twin.metrics["faults.struck"] == 1

    raced = doctored(twin, requests__completed=completed - 1, requests__failed=failed + 1)
    beyond = doctored(twin, requests__completed=completed - 2, requests__failed=failed + 2)

    assert outside(raced, twin) == []
    assert outside(beyond, twin) == ["requests.completed", "requests.failed"]


def verdicts(pinned: RunResult, fixed: RunResult, twins: dict[str, list[RunResult]]) -> list[bool]:
    rows = compare_verdicts(FILE.expect, {"pinned": pinned, "fixed": fixed}, twins)
    return [row.passed for row in rows]


def test_an_expectation_needs_the_replications_verdict_unless_they_find_no_difference() -> None:
    twins = {"pinned": [PINNED, PINNED], "fixed": [FIXED, FIXED]}

    assert verdicts(PINNED, FIXED, twins) == [True, True]
    # The share is on the wrong side now; completed requests are equal in the simulation, so they say nothing.
    assert verdicts(FIXED, PINNED, twins) == [False, True]


def test_either_verdict_will_do_where_replications_disagree() -> None:
    twins = {"pinned": [PINNED, FIXED], "fixed": [FIXED, PINNED]}

    assert verdicts(FIXED, PINNED, twins) == [True, True]
