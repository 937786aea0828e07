"""The health calls to each replica over time: which were answered, which were not, and who shared an answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

import pandas as pd
from matplotlib.axes import Axes

from sim.measure.result import RunResult
from sim.report.plots.look.axes import dress, legend_beside, name_lanes
from sim.report.plots.look.palette import INK
from sim.report.plots.look.words import count
from sim.report.plots.run.faults import draw_faults, faults_of, lines_of
from sim.report.plots.run.one_model import replicas_of, who
from sim.report.plots.run.resolution import visible


class Kind(NamedTuple):
    """How one kind of thing is drawn in a replica's lane."""

    shape: str
    height: float
    """From the lane's bottom; a lane is 1 high."""


KINDS: Mapping[str, Kind] = {
    "answered": Kind("o", 0.7),
    "timed out": Kind("x", 0.5),
    "failed": Kind("s", 0.3),
    "answer shared": Kind("|", 0.1),
}
_KIND_OF_OUTCOME = {"ok": "answered", "timeout": "timed out", "failed": "failed"}


@dataclass(frozen=True, slots=True)
class Probes:
    """The health calls to a model's replicas, and the picks that waited for the call of another request."""

    replicas: tuple[str, ...]
    entries: pd.DataFrame
    """A row for each of them: `start_s`, `end_s`, `replica` and `kind` (one of `KINDS`). A shared answer has no length,
    and the time of its pick."""
    false_dead: int
    """Calls that got no answer though the process was alive."""
    end_s: float
    """When the run ended."""
    faults: pd.DataFrame
    """As `faults_of` returns them."""
    who: str

    @property
    def title(self) -> str:
        """What is seen."""
        shared = int((self.entries["kind"] == "answer shared").sum())
        more = f"; {count(shared, 'pick')} shared an answer" if shared else ""
        return f"{self._told}{more} ({self.who})"

    @property
    def _told(self) -> str:
        kinds = self.entries["kind"].value_counts()
        sent = int(len(self.entries) - kinds.get("answer shared", 0))
        lost = int(sent - kinds.get("answered", 0))
        if not sent:
            return "No probe was sent"
        if not lost:
            return f"{count(sent, 'probe')}, all answered"
        whose = "" if self.false_dead == lost else f"{self.false_dead} of them "
        return f"{lost} of {count(sent, 'probe')} got no answer, {whose}from live processes"


def probes(result: RunResult, model: str | None = None) -> Probes:
    """Return the probes of the request path and of the loops. Raises ValueError for a model that the run lacks."""
    replicas = replicas_of(result, model)
    sent = result.probes[result.probes["replica"].isin(replicas)]
    lost_alive = (sent["outcome"] != "ok") & sent["process_alive"].eq(True)
    picks = result.picks[result.picks["replica"].isin(replicas)]
    shared = picks[picks["source"] == "shared"]
    kinds = sent["outcome"].astype("str").map(_KIND_OF_OUTCOME)
    entries = pd.concat(
        [
            _entries(sent["start_s"], sent["end_s"], sent["replica"], kinds),
            _entries(shared["t_s"], shared["t_s"], shared["replica"], "answer shared"),
        ],
        ignore_index=True,
    )
    end_s = result.totals.end_ns / 1e9
    return Probes(tuple(replicas), entries, int(lost_alive.sum()), end_s, faults_of(result), who(result, model))


def draw_probes(drawn: Probes, axes: Axes, colours: Mapping[str, str]) -> Axes:
    """Draw a lane for each replica, in it a line for each call from its start to its end, and a mark at the end."""
    bottoms = {replica: -float(number) for number, replica in enumerate(drawn.replicas)}
    entries = visible(drawn.entries, "end_s", drawn.end_s, "replica", "kind")
    heights = entries["replica"].map(bottoms) + entries["kind"].map({name: kind.height for name, kind in KINDS.items()})
    for replica in drawn.replicas:
        own = entries["replica"] == replica
        axes.hlines(heights[own], entries["start_s"][own], entries["end_s"][own], color=colours[replica], linewidth=3)
        axes.axhline(bottoms[replica], color=colours[replica], linewidth=1.5)
    for name, kind in KINDS.items():
        own = entries["kind"] == name
        if own.any():
            axes.plot(entries["end_s"][own], heights[own], kind.shape, color=INK, markersize=5, label=name)
    draw_faults(drawn.faults, axes)
    dress(axes, drawn.title, "time, s", "", lines_of(drawn.faults))
    name_lanes(axes, [bottom + 0.4 for bottom in bottoms.values()], drawn.replicas)
    axes.set(xlim=(0, drawn.end_s or None), ylim=(0.98 - max(len(bottoms), 1), 1))
    legend_beside(axes)
    return axes


def _entries(start_s: pd.Series, end_s: pd.Series, replica: pd.Series, kind: "pd.Series | str") -> pd.DataFrame:
    return pd.DataFrame({"start_s": start_s, "end_s": end_s, "replica": replica.astype("str"), "kind": kind})
