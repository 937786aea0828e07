"""What a scenario's part of the page says of its runs, by hand."""

import pytest

from sim.measure.differences import Demand, Side, difference_of
from sim.measure.expectations import Verdict
from sim.measure.window import Window
from sim.report.column import VariantColumn
from sim.report.page.section import Section, Share
from sim.report.terminal.differences import DifferencesTable
from sim.report.terminal.table import ScenarioTable

BEFORE = {"requests.completed": 9, "fairness.jain": 0.5, "replicas.a#0.share": 1.0}
AFTER = {"requests.completed": 9, "fairness.jain": 1.0, "replicas.a#0.share": 0.25, "replicas.b#0.share": 0.75}
HELD = Verdict("fairness.jain", "after", 1.0, ">= 0.95", True)
LATE = Verdict("fairness.jain", "after", 0.9, ">= 0.95", False, Window.between("60s", None))
BUG = Verdict("fairness.jain", "before", 0.5, "<= 0.6", True, shows_bug=True)
UNKNOWN = Verdict("fairness.jain", "after", 1.0, "> other (not run)", None)


def section(before: tuple[Verdict, ...] = (), after: tuple[Verdict, ...] = ()) -> Section:
    columns = [
        VariantColumn("before", [1], [BEFORE], ["aa"], [before]),
        VariantColumn("after", [1], [AFTER], ["bb"], [after]),
    ]
    return Section(ScenarioTable("by_hand", "", columns))


@pytest.mark.parametrize(
    ("before", "after", "look", "told"),
    [
        ((), (HELD, LATE), "failed", "1 of 2 expectations failed"),
        ((), (HELD, UNKNOWN), "held", "1 of 2 expectations hold"),
        ((BUG,), (HELD,), "shows_bug", "2 of 2 expectations hold, 1 of them because a known bug shows"),
        ((), (UNKNOWN,), "none", "No expectation was checked"),
        ((), (), "none", "No expectation was checked"),
    ],
)
def test_the_first_sentence_tells_how_all_expectations_stand(
    before: tuple[Verdict, ...], after: tuple[Verdict, ...], look: str, told: str
) -> None:
    verdict = section(before, after).verdict

    assert (verdict.look, verdict.lines) == (look, [told])


def test_what_failed_comes_first_then_bugs_that_show_then_what_holds() -> None:
    judged = section((BUG,), (HELD, LATE)).judged

    assert [(one.look, one.lines[0]) for one in judged] == [
        ("failed", "✗ after fairness.jain after 1m: 0.9, expected >= 0.95"),
        ("shows_bug", "! before shows the bug: fairness.jain: 0.5, expected <= 0.6"),
        ("held", "✓ after fairness.jain: 1, expected >= 0.95"),
    ]


def test_each_replica_has_its_share_in_each_variant_and_none_where_it_was_not_there() -> None:
    assert list(section().shares) == [
        ("a#0", [Share(1.0, "none"), Share(0.25, "none")]),
        ("b#0", [Share(None, "none"), Share(0.75, "none")]),
    ]


def test_a_figure_of_a_part_of_the_run_stands_below_the_whole_runs_and_is_marked() -> None:
    rows = {(label, is_part): cells for label, is_part, cells in section(after=(LATE,)).figures}

    assert rows["fairness.jain", False] == [("0.500", "none"), ("1.000", "none")]
    assert rows["after 1m", True] == [("·", "none"), ("✗ 0.900", "failed")]


def test_differences_leave_out_zeros_and_are_coloured_by_who_is_better() -> None:
    demand = Demand(0.95, 0.01)
    rows = [
        difference_of("latency.p99_s", Side("before", [9.0, 9.5]), Side("after", [1.0, 1.5]), demand),
        difference_of("requests.failed", Side("before", [0, 0]), Side("after", [0, 0]), demand),
        difference_of("fairness.jain", Side("before", [1.0, 1.0]), Side("after", [0.5, 0.5]), demand),
    ]
    table = DifferencesTable("by_hand", "before", ["after"], [1, 2], rows, [], ["How it was done."])

    made = Section(section().table, table)

    assert made.difference_head == ["", "before", "after", "difference", "interval", "verdict"]
    assert list(made.difference_rows) == [
        ("held", ["latency.p99_s", "9.25", "1.25", "-8", "-8 to -8", "better"]),
        ("failed", ["fairness.jain", "1", "0.5", "-0.5", "-0.5 to -0.5", "worse"]),
    ]
