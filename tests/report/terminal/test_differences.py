"""A comparison as a person at a terminal reads it."""

import io
from collections.abc import Sequence

from rich.console import Console

from sim.measure.differences import Demand, Difference, Finding, Side, difference_of
from sim.measure.statistics import Interval
from sim.report.terminal.differences import DifferencesTable

SEEDS = range(1, 5)
BETTER = Difference("latency.p99_s", "before", "after", 4, 20, 10, Interval(-10, -12, -8), Finding.B)
WORSE = Difference("route.p99_s", "before", "after", 4, 0.002, 0.02, Interval(0.018, 0.017, 0.019), Finding.A)
UNCLEAR = Difference("latency.p50_s", "before", "after", 4, 8, 8.1, Interval(0.1, -1, 1.2), Finding.UNCLEAR, 1234)
SAME = Difference("requests.completed", "before", "after", 4, 277, 277, Interval(0, 0, 0), Finding.SAME)
ZERO = Difference("requests.failed", "before", "after", 4, 0, 0, Interval(0, 0, 0), Finding.SAME)
JAIN = Difference(
    *("fairness.jain", "before", "after", 4, 0.5, 0.94, Interval(0.44, 0.43, 0.45), Finding.B),
    noise_floor=(0.996, 0.996),
)


def printed(
    *rows: Difference,
    variants: Sequence[str] = ("after",),
    identical: Sequence[Sequence[str]] = (),
    width: int = 80,
    encoding: str = "utf-8",
) -> list[str]:
    """The lines that are printed, without what pads them."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    table = DifferencesTable("two_nodes", "before", variants, SEEDS, rows, identical, ["What it means."])
    Console(file=out, width=width).print(table)
    out.seek(0)
    return [line.rstrip() for line in out.read().splitlines()]


def test_each_row_has_both_means_the_difference_and_what_the_variant_is() -> None:
    lines = printed(BETTER, WORSE, SAME)

    assert lines[0] == "two_nodes  after against before, 4 seeds, 1 to 4"
    assert [line.split() for line in lines[2:8]] == [
        ["before", "after", "difference", "verdict"],
        ["─" * len(lines[3].strip())],
        ["latency.p99_s", "20.00", "10.00", "-10.000", "±", "2.000", "better", "(-50%)"],
        ["route.p99_s", "0.002", "0.020", "+0.0180", "±", "0.0010", "worse", "(+900%)"],
        ["requests.completed", "277.0", "277.0", "0", "same"],
        [],
    ]
    assert lines[8:] == ["after: 1 better, 1 worse, 1 same", "What it means."]


def test_a_difference_that_is_the_same_on_each_seed_says_so() -> None:
    row = difference_of("route.p99_s", Side("before", [0.002] * 4), Side("after", [0.02] * 4), Demand(0.95, 0.01))

    assert printed(row)[4].split(maxsplit=3)[3] == "+0.0180 on each seed  worse (+900%)"


def test_an_unclear_row_says_how_many_seeds_may_tell() -> None:
    assert any(line.endswith("+0.100 ± 1.100  unclear, 1,234 seeds may tell") for line in printed(UNCLEAR, width=100))


def test_metrics_that_are_0_everywhere_share_a_line() -> None:
    lines = printed(BETTER, ZERO)

    assert "0 in all runs: requests.failed" in lines
    assert sum("requests.failed" in line for line in lines) == 1


def test_fairness_stands_above_what_it_would_be_at_random() -> None:
    lines = printed(JAIN)

    assert [line.split() for line in lines[4:6]] == [
        ["fairness.jain", "0.500", "0.940", "+0.4400", "±", "0.0100", "better", "(+88%)"],
        ["if", "at", "random", "0.996", "0.996"],
    ]


def test_several_variants_stand_below_each_other_under_their_metric() -> None:
    other = Difference("latency.p99_s", "before", "other", 4, 20, 30, Interval(10, 8, 12), Finding.A)

    lines = printed(BETTER, other, variants=("after", "other"))

    assert [line.split()[:4] for line in lines[4:6]] == [
        ["latency.p99_s", "20.00", "after", "10.00"],
        ["20.00", "other", "30.00", "+10.000"],
    ]
    assert lines[7:9] == ["after: 1 better", "other: 1 worse"]


def test_a_variant_that_decided_as_another_one_has_no_rows_of_its_own() -> None:
    twin = Difference("latency.p99_s", "before", "twin", 4, 20, 10, Interval(-10, -12, -8), Finding.B)

    lines = printed(BETTER, twin, variants=("after", "twin"), identical=[["after", "twin"]])

    assert not any("twin" in line for line in lines[1:])


def test_variants_that_decided_as_the_base_leave_no_table() -> None:
    assert printed(SAME, identical=[["before", "after"]])[1:] == ["What it means."]


def test_seeds_without_the_metric_are_counted() -> None:
    row = difference_of(
        "latency.p99_s", Side("before", [20, None, 20, 20]), Side("after", [10, 10, 10, 10]), Demand(0.95, 0.01)
    )

    assert any(line.endswith("better (-50%) (applies on 3 of 4 seeds)") for line in printed(row, width=100))


def test_names_and_figures_stay_whole_on_a_narrow_terminal() -> None:
    lines = printed(BETTER, JAIN, UNCLEAR, width=40)

    text = " ".join(lines)
    assert max(map(len, lines)) <= 40
    assert "latency.p99_s: before 20, after 10, difference -10 [-12, -8]: better" in text
    assert "fairness.jain: before 0.5, after 0.94 (at random 0.996 and 0.996), difference" in text


def test_plain_characters_are_used_where_others_cannot_be_written() -> None:
    assert any("-10.000 +/- 2.000" in line for line in printed(BETTER, encoding="ascii"))
