"""`result.plot`, `results.plot` and `comparison.plot`: where plots go, and whose they are."""

from collections.abc import Iterator

import matplotlib
import pytest
from matplotlib import pyplot

from sim import RunResult, compare, loads, run, run_all
from sim.report.plots.look.axes import file_axes
from sim.report.plots.run_plots import RunPlots
from tests.cli.command import SMALL
from tests.report.plots.by_hand import legend, line, title

OF_RUN = ("share", "in_flight", "probes", "queues", "fairness", "bursts", "latency")
TWO_MODELS = """
name: two_models
duration: 1m
nodes: [{name: spark}, {name: thor}]
models:
  - {name: qwen3, service: {mean: 1s}, replicas: [{node: spark}, {node: thor}]}
  - {name: llama3, service: {mean: 1s}, replicas: [{node: spark}]}
workload:
  - {kind: burst, model: qwen3, at: 1s, requests: 2}
  - {kind: burst, model: llama3, at: 1s, requests: 3}
"""


@pytest.fixture(autouse=True)
def _no_windows() -> Iterator[None]:
    matplotlib.use("Agg")
    yield
    pyplot.close("all")


@pytest.mark.parametrize("name", OF_RUN)
def test_a_plot_goes_to_the_axes_that_are_handed_in(result: RunResult, name: str) -> None:
    axes = file_axes()

    assert getattr(result.plot, name)(axes) is axes
    assert title(axes)


def test_a_plot_without_axes_is_a_new_figure_that_a_notebook_shows(result: RunResult) -> None:
    axes = result.plot.share()

    assert [pyplot.figure(number) for number in pyplot.get_fignums()] == [axes.figure]


def test_more_replicas_make_a_higher_figure() -> None:
    heights = [file_axes(lanes).figure.get_figheight() for lanes in (0, 2, 8)]  # type: ignore[union-attr]

    assert heights[0] == heights[1] < heights[2]


def test_a_replica_keeps_its_colour_where_others_are_missing(result: RunResult) -> None:
    colours = {"a#0": "#111111", "b#0": "#222222"}

    axes = RunPlots(result, colours, file_axes).bursts()

    bars = {str(one.get_label()): one[0].get_facecolor() for one in axes.containers}
    assert {label: matplotlib.colors.to_hex(colour) for label, colour in bars.items()} == colours


def test_plots_are_about_the_model_that_most_requests_ask_for_unless_one_is_named() -> None:
    result = run(loads(TWO_MODELS))

    assert title(result.plot.share(file_axes())) == "llama3@spark#0 serves 100 % of the requests (two_models, llama3)"
    axes = result.plot.share(file_axes(), model="qwen3")
    assert legend(axes) == ["qwen3@spark#0", "qwen3@thor#0"]
    assert title(axes).endswith("(two_models, qwen3)")


def test_results_of_many_runs_set_their_variants_side_by_side() -> None:
    results = run_all(loads(SMALL), seeds=(3, 4))

    axes = results.plot.latency(file_axes())
    assert legend(axes) == ["pinned", "fixed"]
    longest = [results["pinned", seed].requests["latency_s"].max() for seed in (3, 4)]
    assert line(axes, "pinned")[0][-1] == pytest.approx(sum(longest) / 2)
    assert legend(results.plot.percentiles(file_axes(), family="route")) == ["pinned", "fixed"]


def test_a_comparison_draws_its_own_rows_with_its_own_margin() -> None:
    comparison = compare(loads(SMALL), metrics=["latency.p99_s"], reps=2, margin=0.2)

    axes = comparison.plot.differences(file_axes())
    assert title(axes).startswith("fixed against pinned: ")
    assert axes.get_xlabel().endswith("beyond noise and 20 %")
