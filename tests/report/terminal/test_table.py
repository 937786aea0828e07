import io
import re
from dataclasses import replace

import pytest
from rich.console import Console

from sim.measure.expectations import Verdict, check
from sim.measure.window import Window
from sim.report.column import VariantColumn
from sim.report.terminal.table import ScenarioTable
from sim.scenario import Expectation

S = 1_000_000_000

PINNED = {
    "requests.offered": 200,
    "requests.completed": 200,
    "requests.failed": 0,
    "fairness.busiest_share": 1.0,
    "fairness.jain": 0.5,
    "fairness.jain_random": 0.995,
    "latency.mean_s": 4.3,
    "latency.p99_s": 17.2,
    "route.p99_s": 0.006,
    "probes.sent": 6,
    "replicas.dgx-spark1#0.share": 1.0,
    "replicas.nvidia-thor1#0.share": 0.0,
}
FIXED = PINNED | {
    "fairness.busiest_share": 0.56,
    "fairness.jain": 0.986,
    "latency.mean_s": 0.8,
    "latency.p99_s": 3.2,
    "replicas.dgx-spark1#0.share": 0.56,
    "replicas.nvidia-thor1#0.share": 0.44,
}


def pinned(*verdicts: Verdict) -> VariantColumn:
    return VariantColumn("pinned", [1], [PINNED], ["62341fa7057679506530645ef19ad84d"], [verdicts])


def fixed(*verdicts: Verdict) -> VariantColumn:
    return VariantColumn("fixed", [1], [FIXED], ["1e1680e04fc71b8d69ee42483d9f7e6a"], [verdicts])


def printed(
    *columns: VariantColumn,
    width: int = 80,
    color: bool = False,
    encoding: str = "utf-8",
    speeds_differ: bool = False,
) -> str:
    """Print the table as a terminal of that kind would show it; without colour, nothing but characters is left."""
    raw = io.BytesIO()
    out = io.TextIOWrapper(raw, encoding=encoding)
    console = Console(
        file=out,
        width=width,
        force_terminal=color,
        color_system="truecolor" if color else None,
        no_color=not color,
        legacy_windows=False,
    )
    console.print(ScenarioTable("cache_pinning", "A sticky client never uses the second node.", columns, speeds_differ))
    out.flush()
    return raw.getvalue().decode(encoding)


def lines(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.splitlines() if line.strip()]


def test_variants_stand_side_by_side_with_a_bar_per_replica_above_a_row_per_metric() -> None:
    broken = Verdict("fairness.busiest_share", "pinned", 1.0, "<= 0.9", False)
    kept = Verdict("fairness.jain", "fixed", 0.986, ">= 0.95", True)

    shown = lines(printed(pinned(broken), fixed(kept)))

    rule = shown.pop(3)
    assert set(rule) == {"─"}
    assert shown == [
        "cache_pinning seed 1",
        "A sticky client never uses the second node.",
        "pinned fixed",
        "replicas.<label>.share",
        "dgx-spark1#0 ██████████████████████ 100% ████████████▍ 56%",
        "nvidia-thor1#0 0% █████████▋ 44%",
        "requests.offered 200 200",
        "requests.completed 200 200",
        "fairness.busiest_share ✗ 1.000 0.560",
        "fairness.jain 0.500 0.986",
        "fairness.jain_random 0.995 0.995",
        "latency.mean_s 4.30 0.80",
        "latency.p99_s 17.20 3.20",
        "route.p99_s 0.0060 0.0060",
        "probes.sent 6 6",
        "✗ pinned fairness.busiest_share: 1, expected <= 0.9",
        "✓ fixed fairness.jain: 0.986, expected >= 0.95",
        "digest pinned 62341fa7057679506530645ef19ad84d",
        "digest fixed 1e1680e04fc71b8d69ee42483d9f7e6a",
    ]


def test_what_breaks_an_expectation_is_red_and_bold_and_what_holds_is_green() -> None:
    broken = Verdict("fairness.busiest_share", "pinned", 1.0, "<= 0.9", False)
    kept = Verdict("fairness.jain", "fixed", 0.986, ">= 0.95", True)

    shown = printed(pinned(broken), fixed(kept), color=True)

    assert re.search(r"\x1b\[1;31m *✗ 1\.000", shown)
    assert re.search(r"\x1b\[32m *0\.986", shown)


def test_an_expectation_about_a_part_of_the_run_has_a_row_below_that_of_the_whole_run() -> None:
    late = Verdict("fairness.jain", "fixed", 0.94, ">= 0.95", False, Window(70 * S, 100 * S))

    shown = lines(printed(pinned(), fixed(late)))

    whole = shown.index("fairness.jain 0.500 0.986")
    assert shown[whole + 1] == "after 70s before 100s · ✗ 0.940"
    assert "✗ fixed fairness.jain after 70s before 100s: 0.94, expected >= 0.95" in shown


def test_a_table_has_no_row_that_none_of_its_variants_has_a_figure_for() -> None:
    late = Verdict("fairness.jain", "fixed", 0.94, ">= 0.95", False, Window(70 * S))

    shown = printed(pinned(), fixed(late), width=40)

    assert shown.count("fairness.jain ") == 2 + 1  # A row in either table, and the verdict.
    assert shown.count("  after 70s") == 1


def test_an_expected_metric_is_shown_though_it_is_not_on_the_short_list() -> None:
    verdict = Verdict("replicas.dgx-spark1#0.utilization", "fixed", 0.5, ">= 0.6", False)
    column = VariantColumn("fixed", [1], [FIXED | {verdict.metric: 0.5}], ["0"], [[verdict]])

    assert "replicas.dgx-spark1#0.utilization ✗ 0.500" in lines(printed(column))


def test_an_expectation_that_could_not_be_checked_neither_holds_nor_breaks() -> None:
    skipped = Verdict("latency.p99_s", "fixed", 3.2, "< uncached (not run)", None)

    shown = lines(printed(fixed(skipped)))

    assert "- fixed latency.p99_s: 3.2, expected < uncached (not run)" in shown
    assert "latency.p99_s 3.20" in shown


def test_a_metric_that_does_not_apply_leaves_its_cell_empty() -> None:
    bare = VariantColumn("bare", [1], [{"requests.offered": 0}], ["0"], [[]])

    assert "fairness.jain 0.986 ·" in lines(printed(fixed(), bare))


def test_requests_that_did_not_complete_are_shown_where_there_are_any() -> None:
    unlucky = VariantColumn("unlucky", [1], [FIXED | {"requests.failed": 3}], ["0"], [[]])

    assert "requests.failed 0 3" in lines(printed(fixed(), unlucky))
    assert "failed" not in printed(fixed())


def test_a_row_of_zeros_is_shown_only_if_it_was_judged() -> None:
    verdict = Verdict("requests.failed", "fixed", 0, "<= 0", True)

    assert "requests.failed 0 0" in lines(printed(pinned(), fixed(verdict)))
    assert "requests.failed" not in printed(pinned(), fixed())


def test_a_bug_that_shows_as_expected_is_marked_and_not_praised() -> None:
    bug = Verdict("fairness.busiest_share", "pinned", 1.0, "= 1", True, shows_bug=True)

    shown = printed(pinned(bug), fixed(), color=True)

    assert "\x1b[33m! pinned shows the bug: fairness.busiest_share: 1, expected = 1" in shown
    assert re.search(r"\x1b\[33m *! 1\.000", shown)
    assert "✓" not in shown


def test_a_bug_that_does_not_show_is_a_broken_expectation() -> None:
    bug = Verdict("fairness.busiest_share", "fixed", 0.56, "= 1", False, shows_bug=True)

    shown = lines(printed(fixed(bug)))

    assert "✗ fixed no longer shows the bug: fairness.busiest_share: 0.56, expected = 1" in shown


def test_an_expected_share_of_a_part_of_the_run_has_a_row_beside_its_bar() -> None:
    late = Verdict("replicas.dgx-spark1#0.share", "fixed", 0.7, "<= 0.6", False, Window(70 * S))

    shown = lines(printed(fixed(late)))

    assert shown[-5:-2] == ["probes.sent 6", "replicas.dgx-spark1#0.share 0.560", "after 70s ✗ 0.700"]


def test_replications_show_their_mean_and_spread_and_how_many_keep_an_expectation() -> None:
    runs = [FIXED | {"latency.mean_s": mean} for mean in (1.0, 2.0, 3.0)]
    expected = Expectation.model_validate({"metric": "latency.mean_s", "max": 2.5})
    verdicts = [
        [replace(one, seed=seed) for one in check(expected, {"fixed": run})] for seed, run in enumerate(runs, 1)
    ]
    column = VariantColumn("fixed", [1, 2, 3], runs, ["a", "b", "c"], verdicts)

    shown = lines(printed(column))

    assert "latency.mean_s ✗ 2.00 ± 2.48" in shown
    broken = shown.index("✗ fixed latency.mean_s: 3, expected <= 2.5 on each of 3 seeds")
    assert shown[broken + 1] == "held on 2 of 3 seeds, worst 3 on seed 3"
    assert "cache_pinning 3 seeds, 1 to 3: mean ± half the 95 % interval" in shown
    assert "digest a (seed 1 of 3)" in shown


@pytest.mark.parametrize(("width", "tables"), [(40, 5), (80, 2), (200, 1)])
def test_as_many_variants_stand_side_by_side_as_fit_and_no_figure_is_cut(width: int, tables: int) -> None:
    runs = [FIXED | {"latency.p99_s": 100.25 + index} for index in range(3)]
    names = ["pinned", "uncached", "fixed", "hardened", "mine"]
    many = [
        VariantColumn(
            name, [1, 2, 3], runs, ["d" * 32] * 3, [[Verdict("latency.p99_s", name, 102.25, "<= 1", False)]] * 3
        )
        for name in names
    ]

    shown = printed(*many, width=width)

    assert max(map(len, shown.splitlines())) <= width
    assert shown.count("✗ 101.25 ± 2.48") == 5
    assert shown.count("requests.offered") == tables
    assert "…" not in shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_name_is_cut_however_narrow_the_terminal(width: int) -> None:
    variant, node = "a_variant_with_quite_a_long_name_" + "v" * 31, "node-with-a-long-name-" + "n" * 40
    label = f"replicas.{node}#0.requests"
    verdict = Verdict(label, variant, 4, ">= 5", False)
    column = VariantColumn(variant, [1], [{f"replicas.{node}#0.share": 1.0, label: 4}], ["0"], [[verdict]])

    shown = printed(column, width=width)

    assert max(map(len, shown.splitlines())) <= width
    table = [line.split("  ")[0].strip() for line in shown.splitlines()]
    assert label in "".join(table)
    heading = "".join(line.split()[-1] for line in shown.splitlines() if line.strip())
    assert variant in heading


def test_an_output_that_takes_only_ascii_gets_only_ascii() -> None:
    broken = Verdict("fairness.busiest_share", "pinned", 1.0, "<= 0.9", False)

    shown = lines(printed(pinned(broken), fixed(), encoding="ascii"))

    assert "fairness.busiest_share | x 1.000 | 0.560" in shown
    assert "x pinned fairness.busiest_share: 1, expected <= 0.9" in shown


def test_brackets_in_names_are_shown_as_they_are() -> None:
    column = VariantColumn("[red]", [1], [{"requests.offered": 1, "replicas.rack[1]#0.share": 1.0}], ["0"], [[]])

    shown = printed(column)

    assert "[red]" in shown
    assert "rack[1]#0" in shown


@pytest.mark.parametrize("width", [40, 80, 200])
def test_equal_shares_have_bars_of_equal_length_in_all_variants(width: int) -> None:
    names = ["a", "b", "c", "a_variant_with_a_long_name", "d"]
    judged = Verdict("replicas.a#0.share", "c", 0.75, "<= 0.5", False)
    columns = [
        VariantColumn(name, [1], [{"replicas.a#0.share": 0.75}], ["0"], [[judged] if name == "c" else []])
        for name in names
    ]

    bars = re.findall("[▏▎▍▌▋▊▉█]+", printed(*columns, width=width))

    assert len(bars) == 5
    assert len(set(bars)) == 1


def test_a_crowd_of_replicas_is_cut_short() -> None:
    shares = {f"replicas.node{number}#0.share": 1 / 40 for number in range(40)}

    shown = printed(VariantColumn("fixed", [1], [shares], ["0"], [[]]))

    assert shown.count("#0 ") == 16
    assert "24 more, see --json" in shown


def test_a_share_far_above_the_even_one_is_red_even_where_it_is_expected() -> None:
    shown = printed(pinned(), fixed(), width=100, color=True)

    (bars,) = [line for line in shown.splitlines() if "dgx-spark1#0" in line]
    in_red = [part.split("\x1b[0m")[0] for part in bars.split("\x1b[1;31m")[1:]]
    assert any("100%" in part for part in in_red)
    assert not any("56%" in part for part in in_red)


TWO_MODELS = VariantColumn(
    "fixed",
    [1],
    [
        {
            "requests.offered": 8,
            "fairness.jain": 0.5,
            "models.q.fairness.jain": 1.0,
            "models.p.fairness.jain": 0.5,
            "replicas.q@a#0.share": 0.5,
            "replicas.q@b#0.share": 0.5,
            "replicas.p@a#0.share": 0.0,
            "replicas.p@b#0.share": 1.0,
        }
    ],
    ["0"],
    [[Verdict("models.q.fairness.jain", "fixed", 1.0, ">= 0.9", True)]],
)


def test_with_several_models_the_bars_are_grouped_by_model() -> None:
    shown = [line.split()[0] for line in lines(printed(TWO_MODELS)) if "@" in line]

    assert shown == ["q@a#0", "q@b#0", "p@a#0", "p@b#0"]


def test_a_share_is_held_against_the_even_one_of_its_model() -> None:
    shown = printed(TWO_MODELS, color=True)

    red = [line for line in shown.splitlines() if "@" in line and "\x1b[1;31m" in line]
    assert [re.sub(r"\x1b\[[0-9;]*m", "", line).split()[0] for line in red] == ["p@b#0"]


def test_an_expected_figure_of_one_model_has_a_row_that_names_it() -> None:
    shown = lines(printed(TWO_MODELS))

    assert "fairness.jain 0.500" in shown
    assert "models.q.fairness.jain 1.000" in shown


def test_the_split_of_the_work_is_shown_where_nodes_differ_in_speed() -> None:
    column = VariantColumn("fixed", [1], [FIXED | {"fairness.busy_busiest_share": 0.66}], ["0"], [[]])

    assert "fairness.busy_busiest_share 0.660" in lines(printed(column, speeds_differ=True))
    assert "fairness.busy" not in printed(column)


def test_the_load_is_judged_in_words_and_a_variant_whose_requests_pile_up_is_warned_of() -> None:
    runs = [FIXED | {"load.verdict": number} for number in (0, 2, 2)]

    one = lines(printed(VariantColumn("fixed", [1], runs[1:2], ["0"], [[]])))
    several = lines(printed(VariantColumn("fixed", [1, 2, 3], runs, ["0"] * 3, [[]] * 3)))

    assert "load.verdict overloaded" in one
    assert "! fixed is overloaded: its times grow with the length of the run, or requests go unserved" in " ".join(one)
    assert "! fixed is overloaded on 2 of 3 seeds: its times grow with the length of the run" in " ".join(several)
    assert "its times" not in printed(fixed())
