import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.measure.catalogue import Unit
from sim.report.figures import bar, scale_for

WRITTEN = {
    (Unit.SECONDS, 12.345): "12.35",
    (Unit.SECONDS, 0.5): "0.50",
    (Unit.SECONDS, 0.00625): "0.0063",
    (Unit.SECONDS, 0.000_000_02): "0.000000",
    (Unit.SECONDS, 0): "0.00",
    (Unit.PER_SECOND, 1.25): "1.25",
    (Unit.SHARE, 0.5): "0.500",
    (Unit.INDEX, 0.9356): "0.936",
    (Unit.RATIO, 2): "2.000",
    (Unit.COUNT, 200_000): "200000",
}


@pytest.mark.parametrize(("unit", "value"), WRITTEN)
def test_a_figure_is_written_in_the_unit_of_its_metric_as_a_bound_would_be(unit: Unit, value: float) -> None:
    assert scale_for(unit, [value]).write(value) == WRITTEN[unit, value]


def test_figures_side_by_side_share_the_decimals_of_the_largest() -> None:
    scale = scale_for(Unit.SECONDS, [0.006, 2])

    assert (scale.write(0.006), scale.write(2)) == ("0.01", "2.00")


def test_replications_are_written_as_their_mean_and_half_the_interval() -> None:
    scale = scale_for(Unit.SECONDS, [1, 2, 3])

    # Student's t with 2 degrees of freedom is 4.3027; the standard error is 1/sqrt(3).
    assert scale.write_mean([1, 2, 3], "±") == "2.00 ± 2.48"


def test_replications_that_agree_are_written_as_one_figure() -> None:
    assert scale_for(Unit.COUNT, [6, 6]).write_mean([6, 6], "±") == "6"


def test_an_interval_below_the_last_decimal_is_not_written_as_none() -> None:
    assert scale_for(Unit.INDEX, [0.5]).write_mean([0.5, 0.50001], "±") == "0.500 ± <0.001"


@given(st.floats(0, 1), st.integers(1, 40), st.booleans())
def test_a_bar_is_as_wide_as_asked_and_full_only_near_one(share: float, width: int, ascii_only: bool) -> None:
    drawn = bar(share, width, ascii_only=ascii_only)

    assert len(drawn) == width
    assert drawn.strip() == "" if share == 0 else drawn.count(drawn[0]) >= round(share * width) - 1
    assert drawn.isascii() or not ascii_only


def test_bars_grow_by_eighths() -> None:
    assert [bar(eighths / 16, 2) for eighths in (0, 1, 8, 12, 16)] == ["  ", "▏ ", "█ ", "█▌", "██"]
