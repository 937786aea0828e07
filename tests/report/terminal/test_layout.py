"""How columns share the width of a terminal."""

from hypothesis import given
from hypothesis import strategies as st

from sim.report.terminal.layout import GAP, lay_out

WORDS = st.text("x", min_size=1, max_size=64)


def test_columns_go_into_as_few_groups_as_the_room_allows() -> None:
    names, figures = ["pinned", "uncached", "fixed"], [8, 8, 8]

    assert [len(group) for group in lay_out(80, ["x" * 20], names, figures).groups] == [3]
    assert [len(group) for group in lay_out(46, ["x" * 20], names, figures).groups] == [2, 1]


def test_what_is_left_makes_bars_longer_up_to_a_limit() -> None:
    assert lay_out(60, ["x" * 20], ["a", "b"], [8, 8]).groups == [[18, 18]]
    assert lay_out(200, ["x" * 20], ["a", "b"], [8, 8]).groups == [[35, 35]]


def test_labels_give_way_to_figures_but_keep_half_of_the_room() -> None:
    assert lay_out(40, ["x" * 60], ["a"], [15]).labels == 23
    assert lay_out(40, ["x" * 60], ["a"], [30]).labels == 20


@given(st.integers(40, 250), st.lists(WORDS, min_size=1), st.lists(st.tuples(WORDS, st.integers(0, 18)), min_size=1))
def test_every_column_is_laid_out_once_and_figures_fit(
    room: int, labels: list[str], columns: list[tuple[str, int]]
) -> None:
    names, figures = [name for name, _ in columns], [width for _, width in columns]

    layout = lay_out(room, labels, names, figures)

    widths = [width for group in layout.groups for width in group]
    assert len(widths) == len(columns)
    assert all(width >= figure for width, figure in zip(widths, figures, strict=True))
    assert all(layout.labels + sum(GAP + width for width in group) <= room for group in layout.groups)
