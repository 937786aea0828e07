"""What a picture can show: where more happens than it has columns, what would be drawn over and over is left out."""

import numpy as np
import pandas as pd

from sim.measure.recording.records import Floats, Integers

COLUMNS = 1000
"""A picture's width in steps of time."""


def peaks(t_s: Floats, heights: Integers, end_s: float) -> tuple[Floats, Integers]:
    """Return the steps to draw: all of them, or of very many the highest in each of `COLUMNS` stretches of time.

    Each height holds from its time on; times are ascending, from 0 to `end_s`. A peak stays as high as it was.
    """
    if t_s.size <= 2 * COLUMNS:
        return t_s, heights
    edges = np.linspace(0, end_s, COLUMNS + 1)
    first = np.searchsorted(t_s, edges[:-1], side="right") - 1
    after = np.searchsorted(t_s, edges[1:], side="left")
    # Every other slice is from a stretch's end to the next one's beginning; the last may end where the heights do.
    slices = np.column_stack((first, after)).ravel()
    highest = np.maximum.reduceat(np.append(heights, 0), slices)[::2]
    return edges, np.append(highest, heights[-1])


def visible(marks: pd.DataFrame, time: str, end_s: float, *alike: str) -> pd.DataFrame:
    """Return the marks that do not lie on an earlier one: of those `alike` in these columns, one in each stretch.

    `time` is the column of their times, in seconds.
    """
    stretch = (marks[time] * (COLUMNS / end_s)).astype("int64") if end_s > 0 else 0
    return marks[~marks.assign(stretch=stretch).duplicated([*alike, "stretch"])]
