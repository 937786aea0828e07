"""What all plots have in common: one cue for one thing, words, and files that are the same every time."""

import re

import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from sim.report.plots.look.axes import dress, file_axes, legend_beside
from sim.report.plots.look.image import svg_file, svg_for_page
from sim.report.plots.look.palette import INK, replica_colours, variant_styles
from sim.report.plots.look.words import count, percent, seconds
from sim.report.plots.run.windows import nice_step
from tests.report.plots.by_hand import told


def drawn() -> Axes:
    axes = file_axes()
    axes.plot([0, 1], [0, 1], color=INK, label="mine")
    dress(axes, "What is seen", "time, s", "requests")
    legend_beside(axes)
    return axes


def test_a_replica_has_the_colour_of_its_place_among_the_labels_whatever_their_order() -> None:
    colours = replica_colours(["node-10#0", "node-2#0", "node-2#1"])

    assert list(colours) == ["node-2#0", "node-2#1", "node-10#0"]
    assert colours == replica_colours(reversed(list(colours)))


def test_twenty_one_replicas_have_colours_that_differ_in_hue_or_lightness() -> None:
    colours = [to_rgb(colour) for colour in replica_colours(f"n#{number}" for number in range(21)).values()]

    distances = [max(abs(a - b) for a, b in zip(x, y, strict=True)) for x in colours for y in colours if x is not y]
    assert min(distances) > 0.1
    assert to_rgb(INK) not in colours


def test_eight_variants_differ_in_line_and_in_marker() -> None:
    styles = list(variant_styles(f"v{number}" for number in range(8)).values())

    for cue in zip(*styles, strict=True):
        assert len(set(cue)) == 8


def test_a_legend_covers_no_data() -> None:
    axes = drawn()
    axes.figure.canvas.draw()

    shown = axes.get_legend()
    assert shown is not None
    assert shown.get_window_extent().x0 > axes.get_window_extent().x1
    axes.legend(loc="upper right")
    assert axes.get_legend().get_window_extent().x0 < axes.get_window_extent().x1  # type: ignore[union-attr]


def test_the_same_figure_is_the_same_file_every_time() -> None:
    assert svg_file(drawn()) == svg_file(drawn())
    assert svg_for_page(told().plot.share(file_axes())) == svg_for_page(told().plot.share(file_axes()))


def test_a_picture_for_a_page_is_one_element_that_takes_the_colour_of_its_text() -> None:
    svg = svg_for_page(drawn())

    assert svg.startswith("<svg")
    assert svg.rstrip().endswith("</svg>")
    assert INK not in svg
    assert svg.count("currentColor") > 5
    assert "What is seen</text>" in svg
    # White behind everything is what a file has, and a dark page must not.
    assert not re.search("fill: #ffffff", svg)
    assert re.search("fill: #ffffff", svg_file(drawn()))


@pytest.mark.parametrize(
    ("share", "written"), [(0, "0 %"), (0.001, "under 1 %"), (0.5, "50 %"), (0.999, "over 99 %"), (1, "100 %")]
)
def test_a_share_reads_as_all_or_nothing_only_if_it_is(share: float, written: str) -> None:
    assert percent(share) == written


def test_times_and_numbers_read_as_people_write_them() -> None:
    assert [seconds(value) for value in (0.01234, 1.2345, 28.31)] == ["12.3 ms", "1.23 s", "28.3 s"]
    assert [count(1, "row"), count(2000, "row"), count(0, "probe")] == ["1 row", "2,000 rows", "0 probes"]


@pytest.mark.parametrize(("span", "step"), [(360, 10), (60, 1), (61, 2), (0.5, 0.01), (3000, 50)])
def test_a_step_is_round_and_divides_the_span_into_sixty_parts_or_fewer(span: float, step: float) -> None:
    assert nice_step(span, 60) == pytest.approx(step)
