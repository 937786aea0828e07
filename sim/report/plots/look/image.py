"""A figure as a picture: the same figure gives the same text, whenever and wherever it is drawn."""

from io import StringIO
from typing import Any

from matplotlib import rc_context
from matplotlib.axes import Axes

from sim.report.plots.look.palette import INK

# Its type is that of a dict with a literal for each of the 300 settings.
_SETTINGS: Any = {
    "svg.hashsalt": "sim",  # Else the ids are random.
    "svg.fonttype": "none",  # Text stays text, which readers can search, select and hear.
    "font.family": ["DejaVu Sans", "sans-serif"],
}


def svg_file(axes: Axes) -> str:
    """Return the figure of the axes as an SVG file on white."""
    return _svg(axes, transparent=False)


def svg_for_page(axes: Axes) -> str:
    """Return the figure of the axes as an `<svg>` element for an HTML page, without background.

    Its ink has the page's text colour, dark or light; the colours of replicas can be read on both.
    """
    text = _svg(axes, transparent=True)
    return text[text.index("<svg") :].replace(INK, "currentColor")


def _svg(axes: Axes, *, transparent: bool) -> str:
    written = StringIO()
    with rc_context(_SETTINGS):
        # Without a date and the name of the version that drew it.
        axes.figure.canvas.figure.savefig(
            written, format="svg", transparent=transparent, metadata={"Date": None, "Creator": None}
        )
    return written.getvalue()
