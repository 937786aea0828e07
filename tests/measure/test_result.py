"""The result of a run as a value: how it reads, and the figures and tables it gives."""

import re
from pathlib import Path

import pandas as pd
import pytest

from sim import RunResult, Window, loads, read, run
from sim.study.run import run_scenario

TWO_REPLICAS = """
name: two
seed: 7
duration: 1m
nodes: [{name: spark}, {name: thor}]
models: [{name: qwen3, service: {distribution: deterministic, mean: 2s}, replicas: [{node: spark}, {node: thor}]}]
network: {latency: 0s}
registry: {transaction: 0s}
workload: [{kind: burst, model: qwen3, at: 10s, requests: 4}, {kind: burst, model: qwen3, at: 40s, requests: 1}]
"""
IDLE = """
name: idle
duration: 1m
nodes: [{name: spark}]
models: [{name: qwen3, service: {mean: 1s}, replicas: [{node: spark}]}]
control_plane: {}
workload: []
"""


@pytest.fixture(scope="module")
def result() -> RunResult:
    return run(loads(TWO_REPLICAS))


def test_a_result_reads_as_one_line(result: RunResult) -> None:
    figures = "5 requests, p99 4 s, jain 0.962"

    assert repr(result) == f"<RunResult two default seed 7: {figures}, digest {result.digest[:8]}...>"


def test_figures_that_do_not_apply_are_left_out_of_the_line() -> None:
    idle = run(loads(IDLE))

    assert repr(idle) == f"<RunResult idle default seed 0: 0 requests, digest {idle.digest[:8]}...>"


def test_a_notebook_shows_a_table_in_which_names_are_no_markup() -> None:
    html = run_scenario(loads(TWO_REPLICAS).variants["default"], variant="<b>")._repr_html_()

    assert html.startswith("<table><caption>two, &lt;b&gt;, seed 7<br>")
    assert "<tr><th>fairness.jain</th><td>0.961538</td></tr>" in html


def test_figures_of_a_window_count_only_what_arrived_in_it(result: RunResult) -> None:
    offered = [
        result.metrics_in(after=after, before=before)["requests.offered"]
        for after, before in [("40s", None), (None, "40s"), ("20s", "30s"), (None, None)]
    ]

    assert offered == [1, 4, 0, 5]


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("fairness.jian", "'fairness.jian' is not a metric; did you mean 'fairness.jain'?"),
        ("replicas.spark#0.shares", "is not a metric"),
        ("nodes.detection_max_s", "does not apply to this run"),
    ],
)
def test_a_figure_that_is_not_there_is_asked_for_with_a_hint(tmp_path: Path, name: str, why: str) -> None:
    result = run(loads(TWO_REPLICAS))
    result.save(tmp_path / "run")
    for metrics in (result.metrics, result.metrics_in(after="10s"), read(tmp_path / "run").metrics):
        with pytest.raises(KeyError, match=re.escape(why)):
            metrics[name]


@pytest.mark.parametrize("window", [Window(), Window(10 * 10**9, 60 * 10**9)], ids=["all", "a part"])
def test_a_figure_that_is_asked_for_alone_is_the_one_among_all(result: RunResult, window: Window) -> None:
    together = result.metrics_in(window)

    alone = {name: result.figures_in(window)[name] for name in together}

    assert alone == together == dict(result.figures_in(window))
    assert "nodes.detection_max_s" not in result.figures_in(window)


def test_a_window_in_words_is_the_window_in_nanoseconds(result: RunResult) -> None:
    in_words = result.metrics_in(after="10s", before="1m")

    assert in_words == result.metrics_in(Window(10 * 10**9, 60 * 10**9))


@pytest.mark.parametrize(
    ("window", "problem"),
    [
        ({"after": "60"}, "'60' has no unit; write 30s"),
        ({"after": "40s", "before": "40s"}, "a window has to end later than it begins, not from 40s to 40s"),
        ({"window": Window(), "after": "1s"}, "as a window or by after and before, not by both"),
    ],
    ids=["no unit", "no length", "both"],
)
def test_a_window_that_is_none_is_refused(result: RunResult, window: dict[str, str], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        result.metrics_in(**window)  # type: ignore[arg-type]  # a table of mistakes


def test_in_flight_goes_up_with_each_route_and_down_with_each_end(result: RunResult) -> None:
    steps = result.in_flight.astype({"replica": str})[["t_s", "replica", "in_flight"]]

    assert [tuple(step) for step in steps.to_numpy().tolist()] == [
        (10.0, "spark#0", 2),
        (10.0, "thor#0", 2),
        (12.0, "spark#0", 1),
        (12.0, "thor#0", 1),
        (14.0, "spark#0", 0),
        (14.0, "thor#0", 0),
        (40.0, "spark#0", 1),
        (42.0, "spark#0", 0),
    ]


def test_what_is_in_flight_at_any_time_is_what_was_routed_and_has_not_ended() -> None:
    busy = run(loads(TWO_REPLICAS.replace("kind: burst, model: qwen3, at: 40s, requests: 1", POISSON)))
    requests = busy.requests

    for t_s in (20.0, 41.5, 59.0):
        last = busy.in_flight[busy.in_flight["t_s"] <= t_s].groupby("replica", observed=True)["in_flight"].last()
        there = requests[(requests["routed_s"] <= t_s) & ~(requests["end_s"] <= t_s)]
        pd.testing.assert_series_equal(
            last[last > 0], there.groupby("replica", observed=True).size(), check_names=False, check_dtype=False
        )


POISSON = "kind: poisson, model: qwen3, rate: 2/s"


def test_a_run_without_requests_has_empty_tables() -> None:
    idle = run(loads(IDLE))

    assert [len(table) for table in (idle.requests, idle.in_flight, idle.picks)] == [0, 0, 0]
