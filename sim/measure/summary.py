"""One run as flat, named numbers: the metrics that expectations, comparisons and reports are written in."""

from collections.abc import Iterator, Mapping
from typing import NoReturn

from sim.measure.catalogue import CATALOGUE, VOCABULARY, Metric, View, metric_of
from sim.measure.facts import RunFacts, Totals
from sim.measure.recording.records import Records
from sim.measure.window import Span, Window
from sim.scenario.text.errors import did_you_mean, found


class Metrics(dict[str, float]):
    """The figures of a run by name. Who asks for one that is not there is told why, with the nearest name."""

    def __missing__(self, name: str) -> NoReturn:
        """Raise KeyError."""
        if VOCABULARY.ask(name) is not None:
            raise KeyError(f"{name} does not apply to this run")
        raise KeyError(f"{found(name)} is not a metric{did_you_mean(name, VOCABULARY.names)}")


def view_of(records: Records, totals: Totals, facts: RunFacts, window: Window) -> View:
    """Return what metrics are computed from: the part of the run that is in the window and not in the warm-up."""
    return View(records, totals, facts, Span.of(window, facts.warmup_ns, totals.end_ns))


def summarise(records: Records, totals: Totals, facts: RunFacts, window: Window | None = None) -> Metrics:
    """Return every metric of the catalogue that applies to the window of the run, the whole run unless given.

    Requests count by arrival, picks by their time, probes by their start, events by their time. What is earlier than
    the warm-up is left out.
    """
    view = view_of(records, totals, facts, window or Window())
    return Metrics(figure for metric in CATALOGUE for figure in _figures_of(metric, view).items())


class Figures(Mapping[str, float]):
    """The metrics of a view by name, each computed when it is asked for: few are asked for of a window."""

    def __init__(self, view: View) -> None:
        self._view = view
        self._known: dict[str, dict[str, float]] = {}

    def __getitem__(self, name: str) -> float:
        """Return the figure; KeyError if there is no such metric, or if it does not apply."""
        return self._figures(metric_of(name))[name]

    def __iter__(self) -> Iterator[str]:
        return (name for metric in CATALOGUE for name in self._figures(metric))

    def __len__(self) -> int:
        return sum(len(self._figures(metric)) for metric in CATALOGUE)

    def _figures(self, metric: Metric) -> dict[str, float]:
        if metric.name not in self._known:
            self._known[metric.name] = _figures_of(metric, self._view)
        return self._known[metric.name]


def _figures_of(metric: Metric, view: View) -> dict[str, float]:
    # Adding 0.0 turns -0.0 into 0.0, so that equal figures also print alike.
    return {
        name: value if isinstance(value, int) else float(value) + 0.0 for name, value in metric.figures(view).items()
    }
