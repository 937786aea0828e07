"""The load of each replica as steps, with what happened to it: probes, deleted rows, loads and faults."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from sim.measure.recording.records import Floats, Integers
from sim.measure.result import RunResult
from sim.report.plots.look.axes import dress, legend_beside, name_lanes
from sim.report.plots.look.palette import INK
from sim.report.plots.look.words import count
from sim.report.plots.run.faults import draw_faults, faults_of, lines_of
from sim.report.plots.run.one_model import replicas_of, who
from sim.report.plots.run.resolution import peaks, visible


class Mark(NamedTuple):
    """How a thing that happens to a replica is drawn below its steps."""

    shape: str
    row: int
    """From 1, downwards. What often comes at one instant has different rows."""


MARKS: Mapping[str, Mark] = {
    "probe answered": Mark("|", 1),
    "probe without answer": Mark("x", 1),
    "row deleted": Mark("v", 2),
    "load started": Mark(">", 3),
    "row published": Mark("^", 3),
}
_MARK_OF_EVENT = {"row_removed": "row deleted", "load_started": "load started", "row_published": "row published"}

# Of a lane, which is 1 high: the part above its bottom that the steps take, and the part below it for a row of marks.
_STEPS_HEIGHT, _ROW_HEIGHT = 0.6, 0.1


class Steps(NamedTuple):
    """How many requests a replica has from each instant on."""

    t_s: Floats
    in_flight: Integers

    @property
    def most(self) -> int:
        """How many it has at the most."""
        return int(self.in_flight.max())


@dataclass(frozen=True, slots=True)
class Load:
    """What replicas had to do, and what happened to them."""

    steps: Mapping[str, Steps]
    """By replica; each begins with 0 at the start of the run and ends with the run."""
    marks: pd.DataFrame
    """A row for each thing that happened to a replica, in order of time: `t_s`, `replica`, `mark` (one of `MARKS`)."""
    faults: pd.DataFrame
    """As `faults_of` returns them."""
    removed_alive: int
    """Deleted rows of processes that were alive."""
    end_s: float
    """When the run ended."""
    who: str

    @property
    def title(self) -> str:
        """What is seen."""
        if not self.steps:
            return f"No replica was there ({self.who})"
        fullest, steps = max(self.steps.items(), key=lambda item: item[1].most)
        told = f"{fullest} has up to {count(steps.most, 'request')} at once"
        if self.removed_alive:
            told += f"; {count(self.removed_alive, 'row')} of live processes deleted"
        return f"{told} ({self.who})"


def load(result: RunResult, model: str | None = None) -> Load:
    """Return the load of the model's replicas over the whole run. Raises ValueError for a model that it does not have.

    What happens at the very start is set up by the scenario, and is left out of the marks.
    """
    replicas = replicas_of(result, model)
    events = result.events[result.events["replica"].isin(replicas)]
    removed = events[events["kind"] == "row_removed"]
    marks = pd.concat([_probes(result.probes, replicas), _events(events)])
    end_s = result.totals.end_ns / 1e9
    return Load(
        {replica: _steps(result.in_flight, replica, end_s) for replica in replicas},
        marks.sort_values("t_s", kind="stable", ignore_index=True),
        faults_of(result),
        int(removed["process_alive"].eq(True).sum()),
        end_s,
        who(result, model),
    )


def draw_load(drawn: Load, axes: Axes, colours: Mapping[str, str]) -> Axes:
    """Draw a lane for each replica, all to one scale, with rows of marks below it, and a line for each fault."""
    most = max((steps.most for steps in drawn.steps.values()), default=0)
    bottoms = {replica: -float(number) for number, replica in enumerate(drawn.steps)}
    for replica, steps in drawn.steps.items():
        t_s, in_flight = peaks(*steps, drawn.end_s)
        heights = bottoms[replica] + _STEPS_HEIGHT * in_flight / max(most, 1)
        axes.fill_between(t_s, bottoms[replica], heights, step="post", color=colours[replica], alpha=0.4, lw=0)
        axes.step(t_s, heights, where="post", color=colours[replica], linewidth=1.2, label=f"_{replica}")
    marks = visible(drawn.marks, "t_s", drawn.end_s, "replica", "mark")
    for name, (shape, row) in MARKS.items():
        marked = marks[marks["mark"] == name]
        if not marked.empty:
            rows = marked["replica"].map(bottoms) - _ROW_HEIGHT * row
            axes.plot(marked["t_s"], rows, shape, color=INK, markersize=5, label=name)
    draw_faults(drawn.faults, axes)
    dress(axes, drawn.title, "time, s", "requests in flight", lines_of(drawn.faults))
    names = [f"{replica}\nup to {steps.most}" for replica, steps in drawn.steps.items()]
    name_lanes(axes, [bottom + _STEPS_HEIGHT / 2 for bottom in bottoms.values()], names)
    axes.set(xlim=(0, drawn.end_s or None), ylim=(_STEPS_HEIGHT - max(len(bottoms), 1), _STEPS_HEIGHT + _ROW_HEIGHT))
    legend_beside(axes)
    return axes


def _steps(changes: pd.DataFrame, replica: str, end_s: float) -> Steps:
    rows = changes[changes["replica"] == replica]
    heights = rows["in_flight"].to_numpy(dtype=np.int64)
    last = heights[-1:] if heights.size else np.zeros(1, dtype=np.int64)
    return Steps(np.concatenate(([0.0], rows["t_s"], [end_s])), np.concatenate(([0], heights, last)))


def _probes(probes: pd.DataFrame, replicas: list[str]) -> pd.DataFrame:
    mine = probes[probes["replica"].isin(replicas)]
    answered = np.where(mine["outcome"] == "ok", "probe answered", "probe without answer")
    return pd.DataFrame({"t_s": mine["end_s"], "replica": mine["replica"].astype("str"), "mark": answered})


def _events(events: pd.DataFrame) -> pd.DataFrame:
    marked = events[events["kind"].isin(_MARK_OF_EVENT) & (events["t_s"] > 0)]
    kinds = marked["kind"].astype("str").map(_MARK_OF_EVENT)
    return pd.DataFrame({"t_s": marked["t_s"], "replica": marked["replica"].astype("str"), "mark": kinds})
