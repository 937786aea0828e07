"""The simulated twin of a live run: the machine's costs in scenario time, on the live run's own requests."""

import numpy as np
import pytest

from sim import loads
from sim.live.cluster.calibration import pooled
from sim.study.live.twin import machine_s, machine_times, of_the_same_picks, replications, simulated_twin
from sim.study.run import run_scenario
from tests.calibrations import made_up

MS = 1_000_000
ONE_AT_A_TIME = """
name: two
duration: 20s
nodes: [{name: a}, {name: b}]
models: [{name: m, service: {mean: 1s}, replicas: [{node: a}, {node: b}]}]
router: {pick: read_committed}
workload: [{kind: uniform, model: m, rate: 1/s}]
"""
BURST = ONE_AT_A_TIME.replace("{kind: uniform, model: m, rate: 1/s}", "{kind: burst, model: m, requests: 32, at: 1s}")
MEASURED = made_up("postgresql", pick=2 * MS, touch=MS, crowded_pick=3 * MS, crowded_touch=2 * MS, round_trip=MS)


def routes(text: str, metric: str, **durations_ns: int | tuple[int, ...]) -> list[float]:
    """Return the metric of each of four replications at a tenth of the time."""
    measured = made_up("postgresql", **durations_ns)
    runs = replications(loads(text).variants["default"], "default", [measured], 0.1, 4)
    return [one.metrics[metric] for one in runs]


def test_costs_are_in_scenario_time() -> None:
    times = machine_times(MEASURED, 0.1)

    assert (times.pick.alone_ns, times.pick.crowded_ns) == ((20 * MS,), (30 * MS,))
    assert (times.message.alone_ns, times.statement.crowded_ns) == ((5 * MS,), (20 * MS,))


@pytest.mark.parametrize(("database", "pick"), [("sqlite", "serial"), ("postgresql", "read_committed")])
def test_the_twin_picks_as_its_database_does(database: str, pick: str) -> None:
    scenario = loads(ONE_AT_A_TIME).variants["default"]

    twin = simulated_twin(scenario, database, install_ns=0)

    assert twin.router.pick == pick
    assert twin.router.probe == scenario.router.probe


@pytest.mark.parametrize(("measured_ns", "install_ns"), [(MS, 2_000 * MS), (7_000 * MS, 7_000 * MS)])
def test_no_process_starts_faster_than_the_scenario_says_or_the_machine_can(measured_ns: int, install_ns: int) -> None:
    twin = simulated_twin(loads(ONE_AT_A_TIME).variants["default"], "sqlite", measured_ns)

    assert twin.models[0].backend.install_time_ns == install_ns


def test_a_lone_request_takes_what_lone_calls_took() -> None:
    routed_s = routes(ONE_AT_A_TIME, "route.p50_s", pick=2 * MS, touch=MS, round_trip=MS)

    # A pick of 20 ms and a touch of 10 ms; at most a probe and the loader's check as well, of 10 ms each.
    assert all(0.03 <= route_s <= 0.051 for route_s in routed_s)


def test_the_latency_of_one_request_is_the_sum_of_its_costs() -> None:
    one = BURST.replace("requests: 32", "requests: 1").replace("mean: 1s", "mean: 1s, distribution: deterministic")
    measured = made_up("postgresql", wake_up=MS, pick=2 * MS, touch=MS, round_trip=MS, turnaround=300_000)

    (run,) = replications(loads(one).variants["default"], "default", [measured], 0.1, 1)

    # Wake up, pick, probe, touch, the loader's check, count; there, service and turnaround, and back; two counts less.
    routed_s = 0.010 + 0.020 + 0.010 + 0.010 + 0.010
    served_s = 0.010 + 0.005 + 1.003 + 0.005 + 2 * 0.010
    assert run.metrics["route.max_s"] == pytest.approx(routed_s, abs=1e-6)
    assert run.metrics["latency.max_s"] == pytest.approx(routed_s + served_s, abs=1e-6)


def test_a_crowd_takes_its_calls_shares_one_after_the_other() -> None:
    routed_s = routes(BURST, "route.max_s", pick=2 * MS, touch=MS, crowded_pick=3 * MS, crowded_touch=2 * MS)

    # A pick of 20 ms and 31 of 30 ms come before the last one's touch; at most all touches and counts do so too.
    assert all(0.95 <= route_s <= 0.95 + 64 * 0.02 for route_s in routed_s)


def test_whoever_waits_for_a_load_waits_for_its_lock_to_change_hands_as_well() -> None:
    cold = BURST.replace("requests: 32", "requests: 2").replace(
        "replicas: [{node: a}, {node: b}]", "backend: {health: independent}"
    )
    scenario = loads(cold).variants["default"]

    def routes_s(**durations_ns: int) -> list[float]:
        (run,) = replications(scenario, "default", [made_up("postgresql", **durations_ns)], 0.1, 1)
        return sorted(run.requests["route_s"])

    first_s, second_s = np.subtract(routes_s(lock_taken=3 * MS, lock_freed=2 * MS), routes_s())

    # Each takes the lock in 30 ms and gives it back in 20 ms; the second one has to wait for both of the first's.
    assert first_s == pytest.approx(0.05, abs=1e-6)
    assert second_s == pytest.approx(0.1, abs=1e-6)


@pytest.mark.parametrize(
    ("late_picks", "burst"),
    # Beside the measured crowds there is a made-up one, late by any part. Among so many it is too rare to matter.
    [((), (32, 0)), ((0,) * 10_000, (32, 0)), ((31,) * 10_000, (1, 31))],
    ids=["not measured", "none late", "all late but the first"],
)
def test_a_pick_that_begins_late_sees_the_first_ones_count(late_picks: tuple[int, ...], burst: tuple[int, int]) -> None:
    measured = made_up("postgresql", late_picks, pick=2 * MS, touch=MS, crowded_pick=3 * MS, crowded_touch=2 * MS)

    (run,) = replications(loads(BURST).variants["default"], "default", [measured], 0.1, 1)

    assert tuple(run.requests["replica"].value_counts().sort_index()) == burst


@pytest.mark.parametrize(("step_ns", "is_drawn"), [(0, False), (2 * MS, True)])
def test_of_answers_that_come_within_a_step_of_the_loop_any_may_be_taken_first(step_ns: int, is_drawn: bool) -> None:
    measured = made_up("sqlite", pick=MS, touch=MS, round_trip=MS, crowded_round_trip=step_ns)

    runs = replications(loads(BURST).variants["default"], "default", [measured], 0.1, 4)

    orders = {tuple(one.requests.sort_values("routed_s", kind="stable")["request"]) for one in runs}
    assert (len(orders) > 1) is is_drawn


@pytest.mark.parametrize(("database", "is_any_order"), [("sqlite", False), ("postgresql", True)])
def test_picks_of_one_instant_go_in_any_order_where_each_has_a_server_process(
    database: str, is_any_order: bool
) -> None:
    measured = made_up(database, (0,), pick=2 * MS, touch=MS, crowded_pick=3 * MS, round_trip=MS, crowded_round_trip=0)

    runs = replications(loads(BURST).variants["default"], "default", [measured], 0.1, 4)

    orders = [one.requests.sort_values("routed_s", kind="stable")["request"].tolist() for one in runs]
    # Four orders that are drawn are never all alike.
    assert all(order == list(range(32)) for order in orders) is not is_any_order


@pytest.mark.parametrize(("database", "is_any_order"), [("sqlite", False), ("postgresql", True)])
def test_counts_of_one_instant_go_in_any_order_where_each_has_a_server_process(
    database: str, is_any_order: bool
) -> None:
    # The first request waits for a load, and the others for the first one's client. Then all count themselves at once.
    cold = BURST.replace("replicas: [{node: a}, {node: b}]", "backend: {health: independent}")
    scenario = loads(cold.replace("{pick:", "{profile: pinned, pick:")).variants["default"]
    measured = made_up(database, pick=2 * MS, touch=MS, round_trip=MS, crowded_round_trip=0)

    runs = replications(scenario, "default", [measured], 0.1, 4)

    orders = [one.requests.sort_values("start_s", kind="stable")["request"].tolist() for one in runs]
    # Four orders that are drawn are never all alike.
    assert all(order == list(range(32)) for order in orders) is not is_any_order


def test_what_no_measured_crowd_showed_may_happen_all_the_same() -> None:
    measured = made_up("postgresql", (0,), pick=2 * MS, touch=MS)

    runs = replications(loads(BURST).variants["default"], "default", [measured], 0.1, 24)

    # One crowd in two is like none that was measured; all 24 have the same share with odds of about 1 in 100,000.
    assert len({one.metrics["fairness.busiest_share"] for one in runs}) > 1


def test_replications_have_the_same_requests_and_differ_in_what_the_machine_took_for_them() -> None:
    measured = made_up("sqlite", pick=(MS, 2 * MS, 3 * MS), touch=(MS, 5 * MS))
    scenario = loads(ONE_AT_A_TIME).variants["default"]

    runs = list(replications(scenario, "default", [measured], 0.1, 3))
    again = list(replications(scenario, "default", [measured], 0.1, 3))

    demands = [one.requests["demand_s"].tolist() for one in runs]
    assert demands == [run_scenario(scenario).requests["demand_s"].tolist()] * 3
    assert len({one.digest for one in runs}) == 3
    assert [one.digest for one in runs] == [one.digest for one in again]


def test_a_twin_has_all_calibrations_with_picks_of_its_mode_and_no_other() -> None:
    variants = "variants: {a: {}, b: {router: {pick: locked}}, c: {}}\n"
    measured = {variant: [made_up(touch=number * MS)] for number, variant in enumerate("abc", start=1)}

    alike = of_the_same_picks(loads(ONE_AT_A_TIME + variants), "a", measured)

    assert alike == [*measured["a"], *measured["c"]]


def test_replications_take_turns_with_the_calibrations_and_their_installs() -> None:
    scenario = loads(ONE_AT_A_TIME).variants["default"]
    before, after = made_up(install=(4_000 * MS, 5_000 * MS)), made_up(install=6_000 * MS)

    plans = [one.plan for one in replications(scenario, "default", [before, after], 1.0, 4)]

    assert [plan.models[0].backend.install_time_ns // MS for plan in plans if not isinstance(plan, str)] == [
        4_000,
        6_000,
        5_000,
        6_000,
    ]


def test_the_machines_pace_grows_with_the_requests_of_one_instant() -> None:
    measured = made_up("sqlite", wake_up=MS, crowded_touch=2 * MS, crowded_pick=3 * MS)

    assert machine_s(loads(ONE_AT_A_TIME).variants["default"], measured, 0.1) == pytest.approx(0.010)
    assert machine_s(loads(BURST).variants["default"], measured, 0.1) == pytest.approx(0.010 + 31 * 0.050)


def test_pooled_calibrations_have_every_duration_in_order() -> None:
    together = pooled([made_up(touch=(1, 5), pick=2), made_up(touch=3, pick=4)])

    assert together.touch.durations_ns == (1, 3, 5)
    assert together.pick.durations_ns == (2, 4)


def test_replications_go_from_the_quickest_half_of_what_was_measured_to_the_slowest() -> None:
    routed_s = routes(ONE_AT_A_TIME, "route.p50_s", pick=(MS, MS, 9 * MS, 9 * MS))

    assert routed_s[0] == pytest.approx(0.010, abs=1e-6)
    assert routed_s[-1] == pytest.approx(0.090, abs=1e-6)
