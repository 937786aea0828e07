"""The percentiles of each variant's latency side by side, with their range over the seeds."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.measure.judged_run import JudgedRun, by_variant
from sim.report.plots.look.axes import dress, legend_beside, scale_of, write_plainly
from sim.report.plots.look.palette import INK, variant_styles
from sim.report.plots.look.words import seconds
from sim.scenario.text.errors import did_you_mean, found, listed

FAMILIES = ("latency", "ttft", "queue", "route")
RANKS = ("p50", "p90", "p95", "p99", "max")


def percentiles(runs: Sequence[JudgedRun], family: str = "latency") -> pd.DataFrame:
    """Return the percentiles of a family of metrics, one of `FAMILIES`. Raises ValueError for another one.

    A row for each variant and rank of `RANKS` that applies on any seed, in these orders: `variant`, `rank`, and over
    the seeds `mean_s`, `low_s` and `high_s`. Each run has its own percentile; they are never pooled.
    """
    if family not in FAMILIES:
        hint = did_you_mean(family, FAMILIES)
        raise ValueError(f"{found(family)} has no percentiles; allowed: {listed(FAMILIES)}{hint}")
    rows = []
    for variant, of_variant in by_variant(runs).items():
        for rank in RANKS:
            metric = f"{family}.{rank}_s"
            values = [run.metrics[metric] for run in of_variant if metric in run.metrics]
            if values:
                rows.append((variant, rank, float(np.mean(values)), min(values), max(values)))
    return pd.DataFrame(rows, columns=["variant", "rank", "mean_s", "low_s", "high_s"])


def draw_percentiles(drawn: pd.DataFrame, axes: Axes, family: str = "latency") -> Axes:
    """Draw for each rank a mark for each variant, side by side, with a line from the lowest seed to the highest."""
    styles = variant_styles(drawn["variant"])
    places = {rank: place for place, rank in enumerate(RANKS)}
    for number, (variant, style) in enumerate(styles.items()):
        rows = drawn[drawn["variant"] == variant]
        x = rows["rank"].map(places).to_numpy(dtype=np.float64) + 0.6 * ((number + 0.5) / len(styles) - 0.5)
        reach = (rows["mean_s"] - rows["low_s"], rows["high_s"] - rows["mean_s"])
        axes.errorbar(
            x, rows["mean_s"], reach, linestyle="", marker=style.marker, color=INK, elinewidth=1.2, label=variant
        )
    dress(axes, title(drawn, family), "mean over the seeds, from the lowest to the highest", f"{family}, s")
    axes.set_xticks(range(len(RANKS)), RANKS)
    axes.set_yscale(scale_of(drawn[["low_s", "high_s"]].to_numpy()))
    write_plainly(axes.yaxis)
    legend_beside(axes)
    return axes


def title(drawn: pd.DataFrame, family: str) -> str:
    """Return what is seen: the shortest and the longest p99."""
    tails = drawn[drawn["rank"] == "p99"].sort_values("mean_s", kind="stable")
    if tails.empty:
        return f"No request has a figure of {family}"
    told = [f"{variant} {seconds(mean_s)}" for variant, mean_s in zip(tails["variant"], tails["mean_s"], strict=True)]
    return f"p99 of {family}: " + ", ".join(dict.fromkeys((told[0], told[-1])))
