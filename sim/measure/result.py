"""What one run left behind, as a value: figures, tables, and a folder of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from sim.measure.catalogue import metric_of
from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.events import EventKind, happened
from sim.measure.recording.records import Records
from sim.measure.summary import Figures, summarise, view_of
from sim.measure.window import Window
from sim.scenario import Scenario

if TYPE_CHECKING:
    import pandas as pd

    from sim.report.plots.run_plots import RunPlots

_SHOWN = (
    "requests.offered",
    "requests.completed",
    "requests.failed",
    "latency.p50_s",
    "latency.p99_s",
    "fairness.jain",
    "fairness.busiest_share",
)


@dataclass(frozen=True, repr=False, eq=False)
class RunResult:
    """What one run left behind: figures, and tables with a row for each thing that happened.

    In the tables, columns that end in `_s` are seconds since the start of the run or durations; what did not happen
    is missing.
    """

    scenario: str
    """The scenario's name."""
    variant: str
    seed: int
    digest: str
    """Fingerprint of every recorded decision and event; equal plans have equal digests."""
    metrics: dict[str, float]
    """Flat figures by name, over everything after the warm-up."""
    records: Records
    totals: Totals
    facts: RunFacts
    plan: Scenario | str
    """The complete scenario; of a result that was read its text, since the code and the traces that it names may be
    somewhere else."""

    @property
    def name(self) -> str:
        """What tells it from other runs: scenario, variant and seed."""
        return f"{self.scenario}, {self.variant}, seed {self.seed}"

    @cached_property
    def requests(self) -> "pd.DataFrame":
        """One row a request."""
        return self._table("requests")

    @cached_property
    def picks(self) -> "pd.DataFrame":
        """One row for each time the registry chose a replica."""
        return self._table("picks")

    @cached_property
    def probes(self) -> "pd.DataFrame":
        """One row for each health call that was sent."""
        return self._table("probes")

    @cached_property
    def events(self) -> "pd.DataFrame":
        """One row for each change of the rows, install and load, with its cause."""
        return self._table("events")

    @cached_property
    def replicas(self) -> "pd.DataFrame":
        """One row a replica: how long it was ready, how many requests it served, how busy it was."""
        return self._table("replicas", self.totals.end_ns)

    @cached_property
    def in_flight(self) -> "pd.DataFrame":
        """One row for each change of a replica's load: the requests that have their route to it and have not ended.

        This is the truth; what the registry counted and showed a pick is `in_flight` of `picks`.
        """
        return self._table("in_flight")

    @property
    def plot(self) -> "RunPlots":
        """The run's plots: `result.plot.share()` and others."""
        # Here, because it imports matplotlib; and pictures are made by the room above, which this name only offers.
        from sim.report.plots.run_plots import RunPlots

        return RunPlots(self)

    def metrics_in(
        self, window: Window | None = None, *, after: str | None = None, before: str | None = None
    ) -> dict[str, float]:
        """Return the figures over the requests that arrived from `after` on and earlier than `before`.

        Both are durations such as `60s` since the start of the run, as in a scenario; or the stretch is a `window`.
        Raises ValueError for a text that is no duration, an end that is not later than the start, and for both ways
        at once.
        """
        if window is not None and (after is not None or before is not None):
            raise ValueError("a stretch of the run is given as a window or by after and before, not by both")
        return summarise(self.records, self.totals, self.facts, window or Window.between(after, before))

    def figures_in(self, window: Window) -> Mapping[str, float]:
        """Return the figures over the window of the run, each computed when it is asked for."""
        if window == Window():
            return self.metrics
        return Figures(view_of(self.records, self.totals, self.facts, window))

    def absence(self, metric: str, window: Window) -> str:
        """Return what the metric is about and did not happen in the window; empty if it did. Raises KeyError."""
        subject = metric_of(metric).subject
        return "" if subject.is_there(view_of(self.records, self.totals, self.facts, window)) else subject.absence

    def has_struck(self, fault: str) -> bool:
        """Tell whether a fault of this kind took effect at any time of the run."""
        return happened(self.records, self.records.events, EventKind.FAULT_STRUCK, fault) > 0

    def save(self, folder: str | Path) -> None:
        """Write figures, tables and plan to the folder, which `sim.read` gives the result back from.

        The folder is made if need be, and its files appear all or none. Raises CannotWrite.
        """
        # Here, because it imports pandas and pyarrow.
        from sim.measure.saved.run_folder import save_run

        save_run(Path(folder), self, ())

    def __repr__(self) -> str:
        figures = [f"{self.metrics['requests.offered']} requests"]
        if "latency.p99_s" in self.metrics:
            figures.append(f"p99 {self.metrics['latency.p99_s']:.3g} s")
        if "fairness.jain" in self.metrics:
            figures.append(f"jain {self.metrics['fairness.jain']:.3g}")
        figures.append(f"digest {self.digest[:8]}...")
        return f"<RunResult {self.scenario} {self.variant} seed {self.seed}: {', '.join(figures)}>"

    def _repr_html_(self) -> str:
        """Show the run's chief figures in a notebook."""
        rows = "".join(
            f"<tr><th>{name}</th><td>{self.metrics[name]:.6g}</td></tr>" for name in _SHOWN if name in self.metrics
        )
        title = escape(self.name)
        return f"<table><caption>{title}<br><code>{self.digest}</code></caption>{rows}</table>"

    def _table(self, kind: str, *more: object) -> "pd.DataFrame":
        # Here, because importing pandas takes longer than a small run, and the figures do not need it.
        from sim.measure import tables

        table: pd.DataFrame = getattr(tables, kind)(self.records, self.facts, *more)
        return table


def measured(scenario: Scenario, variant: str, records: Records, totals: Totals) -> RunResult:
    """Return the result of a run from what was recorded and counted in it."""
    facts = RunFacts.of(scenario)
    metrics = summarise(records, totals, facts)
    return RunResult(
        scenario.name, variant, scenario.seed, records.digest(), metrics, records, totals, facts, plan=scenario
    )
