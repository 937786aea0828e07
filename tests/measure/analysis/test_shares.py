"""Shares over time: counted per window of arrival, over the replicas of the table."""

import pandas as pd
import pytest

from sim import loads, run
from sim.measure.analysis.shares import share_over_time

NAN = float("nan")


def requests(*rows: tuple[float, str | None], replicas: tuple[str, ...] = ("a#0", "b#0")) -> pd.DataFrame:
    names = pd.Categorical([replica for _, replica in rows], categories=list(replicas))
    return pd.DataFrame({"arrival_s": [arrival for arrival, _ in rows], "replica": names})


def test_each_window_gives_every_replica_its_part_of_the_requests() -> None:
    table = requests((0.0, "a#0"), (9.9, "b#0"), (9.95, "b#0"), (9.99, "b#0"), (10.0, "a#0"))

    shares = share_over_time(table, 10)

    assert shares.index.tolist() == [0.0, 10.0]
    assert shares["a#0"].tolist() == [0.25, 1.0]
    assert shares["b#0"].tolist() == [0.75, 0.0]


def test_a_window_without_requests_is_missing() -> None:
    shares = share_over_time(requests((1.0, "a#0"), (25.0, "b#0")), 10)

    pd.testing.assert_series_equal(shares["a#0"], pd.Series([1.0, NAN, 0.0]), check_names=False, check_index=False)


def test_a_request_without_a_route_counts_for_nobody() -> None:
    shares = share_over_time(requests((1.0, "a#0"), (2.0, None)), 10)

    assert shares["a#0"].tolist() == [1.0]


def test_a_replica_that_got_nothing_has_a_share_of_zero() -> None:
    shares = share_over_time(requests((1.0, "a#0")), 10)

    assert shares["b#0"].tolist() == [0.0]


def test_a_table_without_requests_gives_no_window() -> None:
    shares = share_over_time(requests(), 10)

    assert (len(shares), list(shares.columns)) == (0, ["a#0", "b#0"])


def test_shares_are_taken_within_a_model() -> None:
    table = requests((1.0, "q@a#0"), (2.0, "p@a#0"), (3.0, "p@b#0"), replicas=("q@a#0", "p@a#0", "p@b#0"))

    assert share_over_time(table, 10).iloc[0].to_dict() == {"q@a#0": 1, "p@a#0": 0.5, "p@b#0": 0.5}


@pytest.mark.parametrize("window_s", [0, -1, NAN])
def test_a_window_without_length_is_refused(window_s: float) -> None:
    with pytest.raises(ValueError, match="more than 0 s"):
        share_over_time(requests((1.0, "a#0")), window_s)


def test_the_shares_of_a_run_add_up_to_one() -> None:
    text = """
name: shares
duration: 1m
nodes: [{name: spark}, {name: thor}]
models: [{name: qwen3, service: {mean: 1s}, replicas: [{node: spark}, {node: thor}]}]
workload: [{kind: uniform, model: qwen3, rate: 1/s}]
"""

    shares = share_over_time(run(loads(text)).requests, 10)

    assert list(shares.columns) == ["spark#0", "thor#0"]
    assert shares.sum(axis="columns").tolist() == pytest.approx([1.0] * 6)


def test_a_run_without_replicas_has_no_shares() -> None:
    assert share_over_time(requests((1.0, None), (2.0, None), replicas=()), 10).empty
