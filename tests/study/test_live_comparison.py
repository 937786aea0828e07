"""How closely a live run has to agree with the simulation."""

import pytest

from sim import loads
from sim.study.live_comparison import compare_figures, compare_verdicts, simulated_twin
from sim.study.run import run
from tests.calibrations import made_up

COUNTS = {
    "requests.completed": 40,
    "requests.failed": 0,
    "requests.cancelled": 0,
    "probes.timeouts": 4,
    "rows.removed": 2,
    "rows.removed_alive": 2,
    "loads.redundant": 2,
}
SHARES = {"fairness.busiest_share": 0.6, "fairness.jain": 0.96, "replicas.a#0.share": 0.6, "replicas.b#0.share": 0.4}
SIMULATED = [SHARES | COUNTS, SHARES | COUNTS | {"probes.timeouts": 7}]

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


@pytest.mark.parametrize(
    ("changed", "differs"),
    [
        ({}, None),
        ({"fairness.busiest_share": 0.64}, None),
        ({"fairness.busiest_share": 0.66}, "fairness.busiest_share"),
        ({"replicas.b#0.share": 0.3}, "replicas.b#0.share"),
        # The replications span 4 to 7, so 1 to 10 may well be.
        ({"probes.timeouts": 10}, None),
        ({"probes.timeouts": 11}, "probes.timeouts"),
        ({"probes.timeouts": 0}, "probes.timeouts"),
        ({"rows.removed": 3}, None),
        ({"rows.removed": 4}, "rows.removed"),
    ],
)
def test_shares_may_be_off_by_a_twentieth_and_counts_by_what_replications_span(
    changed: dict[str, float], differs: str | None
) -> None:
    rows = compare_figures("fixed", SHARES | COUNTS | changed, SIMULATED)

    assert [row.metric for row in rows if not row.passed] == ([differs] if differs else [])


def test_a_share_that_applies_to_one_side_alone_does_not_agree() -> None:
    without = {name: value for name, value in (SHARES | COUNTS).items() if name != "fairness.jain"}

    rows = compare_figures("fixed", without, SIMULATED)

    assert [row.metric for row in rows if not row.passed] == ["fairness.jain"]


def test_every_expectation_needs_the_same_verdict_unless_the_simulation_finds_no_difference() -> None:
    file = loads(TEXT)
    pinned, fixed = run(file, "pinned", 1), run(file, "fixed", 1)

    same = compare_verdicts(file.expect, {"pinned": pinned, "fixed": fixed}, {"pinned": pinned, "fixed": fixed})
    swapped = compare_verdicts(file.expect, {"pinned": fixed, "fixed": pinned}, {"pinned": pinned, "fixed": fixed})

    assert [row.passed for row in same] == [True, True]
    assert [row.passed for row in swapped] == [False, True]
    assert swapped[1].tolerance == "none: the simulation finds no difference"


@pytest.mark.parametrize(("database", "pick"), [("sqlite", "serial"), ("postgresql", "read_committed")])
def test_the_twin_has_the_measured_times_in_scenario_time_and_the_databases_picks(database: str, pick: str) -> None:
    scenario = loads(TEXT).variants["fixed"]
    measured = made_up(database, touch=1_000_000, pick=3_000_000, round_trip=800_000)

    twin = simulated_twin(scenario, measured, time_scale=0.1)

    assert (twin.registry.transaction_ns, twin.registry.pick_ns) == (10_000_000, 30_000_000)
    assert twin.network.latency_ns == 4_000_000
    assert twin.router.pick == pick
    assert twin.router.probe == scenario.router.probe
