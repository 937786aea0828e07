"""Pictures of long runs: what is left out changes nothing that could be seen."""

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from sim.report.plots.run.resolution import COLUMNS, peaks, visible

MANY = 5 * COLUMNS


@given(st.integers(0, 2**32 - 1))
def test_thinned_steps_reach_the_highest_of_each_stretch(seed: int) -> None:
    random = np.random.default_rng(seed)
    t_s = np.concatenate(([0.0], np.sort(random.uniform(0, 100, MANY)), [100.0]))
    heights = random.integers(0, 9, t_s.size)

    thin_s, thin = peaks(t_s, heights, 100.0)

    assert thin_s.size == COLUMNS + 1
    assert (thin.max(), thin[-1]) == (heights.max(), heights[-1])
    for place in random.integers(0, COLUMNS, 5).tolist():
        start_s, end_s = thin_s[place : place + 2]
        at_start = heights[np.flatnonzero(t_s <= start_s)[-1]]
        inside = heights[(t_s > start_s) & (t_s < end_s)]
        assert thin[place] == max([at_start, *inside.tolist()])


def test_few_steps_are_drawn_as_they_are() -> None:
    t_s, heights = np.array([0.0, 1.0, 2.0]), np.array([0, 5, 0])

    assert peaks(t_s, heights, 2.0) == (t_s, heights)


def test_marks_on_one_another_are_drawn_once_and_others_stay() -> None:
    marks = pd.DataFrame({"t_s": [1.0, 1.0001, 1.0002, 50.0], "replica": ["a", "a", "b", "a"]})

    assert visible(marks, "t_s", 100.0, "replica").index.tolist() == [0, 2, 3]
    assert visible(marks.iloc[:0], "t_s", 100.0, "replica").empty
