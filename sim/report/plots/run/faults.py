"""Faults, as they are drawn in every plot over time: a line at the instant, and the kind."""

from typing import Any

import pandas as pd
from matplotlib.axes import Axes

from sim.measure.result import RunResult
from sim.report.plots.look.axes import LINE_ABOVE_PT
from sim.report.plots.look.palette import INK


def faults_of(result: RunResult) -> pd.DataFrame:
    """Return a row for each fault that struck: `t_s` and its kind, `cause`."""
    events = result.events
    struck = events.loc[events["kind"] == "fault_struck", ["t_s", "cause"]]
    return struck.astype({"cause": "str"}).reset_index(drop=True)


def draw_faults(faults: pd.DataFrame, axes: Axes, line_colour: str = INK) -> None:
    """Draw a vertical line for each fault, and write the kind above the first of each."""
    for number, (cause, rows) in enumerate(faults.groupby("cause", sort=False)):
        for t_s in rows["t_s"]:
            axes.axvline(t_s, color=line_colour, linewidth=0.8)
        place: dict[str, Any] = {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
        above_pt = 3 + LINE_ABOVE_PT * number
        axes.annotate(str(cause), (rows["t_s"].iloc[0], 1), xytext=(2, above_pt), **place, fontsize=8, color=INK)


def lines_of(faults: pd.DataFrame) -> int:
    """Return how many lines of text `draw_faults` writes above the axes, or 1, which other marks may need."""
    return max(faults["cause"].nunique(), 1)
