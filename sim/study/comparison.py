"""Variants of one scenario compared with one of them, metric by metric, on the same seeds."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from html import escape
from operator import eq
from statistics import fmean
from typing import TYPE_CHECKING, Any

from sim import __version__
from sim.measure.analysis.load import warning
from sim.measure.catalogue import VOCABULARY
from sim.measure.differences import Demand, Difference, Finding, Side, counts_in_words, difference_of
from sim.measure.judged_run import JudgedRun
from sim.measure.statistics import simultaneous
from sim.scenario.text.errors import did_you_mean, found
from sim.study.errors import NoSuchMetric

if TYPE_CHECKING:
    import pandas as pd

    from sim.report.plots.comparison_plots import ComparisonPlots

CHIEF_METRICS = (
    *(f"requests.{name}" for name in ("completed", "failed", "rejected", "cancelled", "unfinished")),
    *("latency.mean_s", "latency.p50_s", "latency.p99_s", "ttft.p50_s", "ttft.p99_s", "route.p99_s"),
    *("fairness.jain", "fairness.busy_jain", "burst.max_over_ideal"),
    *("probes.timeouts", "probes.false_dead", "rows.removed_alive", "rows.stale_s"),
    *("loads.redundant", "in_flight.drift_s"),
)
"""What is compared unless metrics are named: what users notice, how even the load is, and what the router gets wrong.

Of each kind there is one metric or two, because every further one makes the intervals of all a little wider.
"""


@dataclass(frozen=True, slots=True)
class Question:
    """What is to be compared with what, and when a difference counts."""

    a: str
    """Name of the base."""
    b: tuple[str, ...]
    """Names of the variants that are compared with it."""
    metrics: tuple[str, ...] | None
    """None for those of `CHIEF_METRICS` that apply."""
    demand: Demand
    """Its confidence is that of all intervals together."""


@dataclass(frozen=True, repr=False, eq=False)
class Comparison:
    """Paired differences of every variant `b` to the base `a`, over replications that share their requests.

    Each interval is Student's t over the differences, at the confidence that has all rows together hold their true
    values with the confidence asked for (Bonferroni). Where all differences are equal it has no width; then it says
    nothing of what would be rarer than one seed in as many.
    """

    scenario: str
    question: Question
    seeds: tuple[int, ...]
    rows: tuple[Difference, ...]
    """Metric by metric, and within one in the order of the variants."""
    digests: Mapping[str, tuple[str, ...]]
    """Of every variant, the base first, seed by seed. Where two are equal, the variants decided identically."""
    remarks: tuple[str, ...] = ()
    """What else there is to say of how the comparison went, in sentences."""

    @property
    def plot(self) -> "ComparisonPlots":
        """The comparison's plot: `comparison.plot.differences()`."""
        # Here, because it imports matplotlib.
        from sim.report.plots.comparison_plots import ComparisonPlots

        return ComparisonPlots(self.question.a, self.rows, self.question.demand.margin)

    @property
    def better(self) -> list[Difference]:
        """The rows in which a variant is better than the base."""
        return self._with(Finding.B)

    @property
    def worse(self) -> list[Difference]:
        """The rows in which a variant is worse than the base."""
        return self._with(Finding.A)

    @property
    def unclear(self) -> list[Difference]:
        """The rows that more seeds would have to decide."""
        return self._with(Finding.UNCLEAR)

    @property
    def identical(self) -> list[list[str]]:
        """Variants that decided identically on all seeds, each such group in the order of the comparison."""
        groups: dict[tuple[str, ...], list[str]] = {}
        for variant, digests in self.digests.items():
            groups.setdefault(digests, []).append(variant)
        return [group for group in groups.values() if len(group) > 1]

    def row(self, metric: str, variant: str | None = None) -> Difference:
        """Return the row of a metric; the variant may be left out if there is only one. Raises KeyError."""
        if variant is None and len(self.question.b) > 1:
            raise KeyError(f"several variants have a row for {metric}; name one of them: {', '.join(self.question.b)}")
        wanted = (metric, variant or self.question.b[0])
        for one in self.rows:
            if (one.metric, one.variant) == wanted:
                return one
        rows = ", ".join(f"{one.metric} of {one.variant}" for one in self.rows)
        raise KeyError(f"no row for {' of '.join(wanted)}; there are {rows}")

    @cached_property
    def table(self) -> "pd.DataFrame":
        """One row for each metric and variant, in the columns of `document`'s rows."""
        # Here, because the command does without it.
        import pandas as pd

        return pd.DataFrame([one.document for one in self.rows])

    @property
    def document(self) -> dict[str, Any]:
        """The comparison for programs, in values that JSON has."""
        return {
            "sim": __version__,
            "scenario": self.scenario,
            "a": self.question.a,
            "b": list(self.question.b),
            "confidence": self.question.demand.confidence,
            "margin": self.question.demand.margin,
            "seeds": list(self.seeds),
            "identical": self.identical,
            "remarks": list(self.remarks),
            "rows": [one.document for one in self.rows],
        }

    @property
    def sentences(self) -> list[str]:
        """What the rows alone do not say: who decided identically, and what the intervals mean."""
        return [*self._identities(), *self.remarks, self._method()]

    def __str__(self) -> str:
        """Read as a line for each row."""
        return "\n".join([repr(self), *map(str, self.rows), *self.sentences])

    def __repr__(self) -> str:
        who = f"{', '.join(self.question.b)} against {self.question.a}"
        told = counts_in_words(self.rows) or "nothing to compare"
        return f"<Comparison {self.scenario}: {who} on {len(self.seeds)} seeds: {told}>"

    def _repr_html_(self) -> str:
        """Show the table and the sentences in a notebook."""
        shown = self.table.drop(columns=["pairs", "noise_floor"])
        figures: str = shown.to_html(index=False, na_rep="", float_format="{:.6g}".format)
        lines = "".join(f"<p>{escape(line)}</p>" for line in (repr(self).strip("<>"), *self.sentences))
        return figures + lines

    def _with(self, finding: Finding) -> list[Difference]:
        return [one for one in self.rows if one.verdict is finding]

    def _identities(self) -> Iterator[str]:
        seeds, base = len(self.seeds), self.question.a
        for group in self.identical:
            yield f"{' and '.join(group)} decided identically on all {seeds} seeds."
        for variant in self.question.b:
            equal = sum(map(eq, self.digests[base], self.digests[variant]))
            if 0 < equal < seeds:
                yield f"{base} and {variant} decided identically on {equal} of {seeds} seeds."

    def _method(self) -> str:
        demand, count = self.question.demand, len(self.rows)
        together = f"all {count} intervals hold at once (Bonferroni)" if count > 1 else "the interval holds"
        return (
            f"By Student's t over paired differences {together} with {demand.confidence * 100:.4g} % confidence. Less "
            f"than {demand.margin * 100:.3g} % of {self.question.a} is taken for no difference."
        )


def checked_metric(name: str) -> str:
    """Return the name. Raises NoSuchMetric with the nearest one if the catalogue has no such metric."""
    if VOCABULARY.ask(name) is None:
        hint = did_you_mean(name, VOCABULARY.names)
        raise NoSuchMetric(f"{found(name)} is not a metric; allowed: a name such as latency.p99_s{hint}")
    return name


def compared(scenario: str, question: Question, runs: Sequence[JudgedRun]) -> Comparison:
    """Compare the runs: those of the base and of each variant, all on the same seeds."""
    by_variant = {name: [run for run in runs if run.variant == name] for name in (question.a, *question.b)}
    base = by_variant[question.a]
    applying = dict.fromkeys(metric for run in runs for metric in run.metrics)
    metrics = question.metrics or tuple(metric for metric in CHIEF_METRICS if metric in applying)
    each = simultaneous(question.demand.confidence, len(metrics) * len(question.b))
    demand = replace(question.demand, confidence=each)
    rows = tuple(_difference(metric, base, by_variant[variant], demand) for metric in metrics for variant in question.b)
    digests = {name: tuple(run.digest for run in of_variant) for name, of_variant in by_variant.items()}
    warnings = (warning(name, [run.metrics for run in of_variant]) for name, of_variant in by_variant.items())
    remarks = tuple(f"{text}." for text in warnings if text is not None)
    return Comparison(scenario, question, tuple(run.seed for run in base), rows, digests, remarks)


def _difference(metric: str, a: Sequence[JudgedRun], b: Sequence[JudgedRun], demand: Demand) -> Difference:
    one = difference_of(metric, _side(metric, a), _side(metric, b), demand)
    return replace(one, noise_floor=_noise_floor(f"{metric}_random", a, b))


def _noise_floor(metric: str, *sides: Sequence[JudgedRun]) -> tuple[float, float] | None:
    """Return the mean of the metric for each of the two sides; None if it does not apply, or there is none."""
    figures = [[run.metrics[metric] for run in side if metric in run.metrics] for side in sides]
    return (fmean(figures[0]), fmean(figures[1])) if all(figures) else None


def _side(metric: str, runs: Sequence[JudgedRun]) -> Side:
    return Side(runs[0].variant, [run.metrics.get(metric) for run in runs])
