"""One run as flat, named numbers: the metrics that expectations, comparisons and reports are written in."""

from typing import NoReturn

from sim.measure.catalogue import CATALOGUE, VOCABULARY, View
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
    figures = (figure for metric in CATALOGUE for figure in metric.figures(view).items())
    # Adding 0.0 turns -0.0 into 0.0, so that equal figures also print alike.
    return Metrics((name, value if isinstance(value, int) else float(value) + 0.0) for name, value in figures)
