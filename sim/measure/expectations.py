"""Whether a run did what its scenario expects of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sim.measure.statistics import Interval
from sim.measure.window import Window
from sim.scenario import Expectation
from sim.scenario.vocabulary import model_metric

_ANSWERS = {True: "held", False: "failed", None: "not checked"}


@dataclass(frozen=True, slots=True)
class Bound:
    """A limit that a figure must keep."""

    sign: str
    """One of `>= <= = > <`."""
    limit: float | None
    """None if the other variant has no such figure."""
    other: str | None = None
    """The variant whose figure the limit is."""
    is_known: bool = True
    """Whether the other variant was run."""

    def __str__(self) -> str:
        if self.other is None:
            return f"{self.sign} {self.limit:.6g}"
        figure = "not run" if not self.is_known else "absent" if self.limit is None else f"{self.limit:.6g}"
        return f"{self.sign} {self.other} ({figure})"

    def margin(self, value: float | None) -> float | None:
        """Return how far the value is on the right side, in its unit; negative on the wrong one, None if unknown."""
        if value is None or self.limit is None:
            return None
        if self.sign == "=":
            return -abs(value - self.limit)
        return value - self.limit if self.sign in (">=", ">") else self.limit - value

    def holds(self, value: float | None) -> bool | None:
        """Tell whether the value keeps the limit; None if the other variant was not run."""
        if not self.is_known:
            return None
        margin = self.margin(value)
        return margin is not None and (margin > 0 if self.sign in (">", "<") else margin >= 0)


@dataclass(frozen=True, slots=True)
class OverSeeds:
    """What a verdict on several seeds rests on."""

    seeds: int
    """Number of seeds that were judged."""
    held: int
    """On how many of them the figure kept the bound."""
    worst_seed: int | None
    """The one on which it kept it least."""
    worst: float | None
    """The figure there, or the difference where that was judged; None if the metric does not apply."""
    interval: Interval | None = None
    """Around the value, where a mean was judged; None where every seed had to keep the bound."""
    confidence: float | None = None
    """That of the interval."""

    def __str__(self) -> str:
        """Read as `held on 6 of 20 seeds, worst 0.91 on seed 17`."""
        worst = "absent" if self.worst is None else f"{self.worst:.6g}"
        return f"held on {self.held} of {self.seeds} seeds, worst {worst} on seed {self.worst_seed}"


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """How one run, or one variant on several seeds, stands to one expectation."""

    metric: str
    """The name under which the run has the figure."""
    variant: str
    value: float | None
    """None if the metric does not apply to the run. On several seeds: the mean that was judged, or the worst figure."""
    bound: str
    """Such as `>= 0.95` or `< pinned (3.2)`."""
    passed: bool | None
    """None if it could not be told: the other variant was not run, or too few seeds were."""
    window: Window = field(default_factory=Window)
    """What the value was taken over."""
    seed: int | None = None
    """The run's; None if the figures are of no run in particular."""
    shows_bug: bool = False
    """To keep the bound is to show a known bug."""
    reason: str = ""
    """What beside the value and the bound decided; empty if nothing did."""
    over: OverSeeds | None = None
    """None if the verdict is on one run."""
    command: str = ""
    """The command line that does the run again, on several seeds the worst one; empty if there is none."""
    counts: bool = field(default=True, compare=False)
    """Whether it is judged by itself. If not, it is one of several that are judged together, or its seed was run only
    for the sake of those."""
    bounds: tuple[Bound, ...] = field(default=(), compare=False)
    expectation: Expectation | None = field(default=None, compare=False)

    @property
    def run_name(self) -> str:
        """The variant, and the seed of a verdict on one run."""
        return self.variant if self.seed is None else f"{self.variant}, seed {self.seed}"

    @property
    def figure_name(self) -> str:
        """The metric and, if it is taken over a part of the run, the window."""
        return " ".join(filter(None, [self.metric, str(self.window)]))

    @property
    def shown_seed(self) -> int | None:
        """The seed of the run to look at: its own, or the worst of several."""
        return self.seed if self.over is None else self.over.worst_seed

    @property
    def keeps_bounds(self) -> bool | None:
        """Whether the figure keeps all bounds; None if another variant was not run and none is broken."""
        answers = [bound.holds(self.value) for bound in self.bounds]
        if self.value is None or False in answers:
            return False
        return None if None in answers else True

    @property
    def margin(self) -> float:
        """How far the figure is on the right side of its nearest bound; minus infinity if it is absent."""
        margins = [bound.margin(self.value) for bound in self.bounds if bound.is_known]
        return min((float("-inf") if margin is None else margin for margin in margins), default=float("-inf"))

    @property
    def figure(self) -> str:
        """The value as text, with its interval if it has one."""
        value = "absent" if self.value is None else f"{self.value:.6g}"
        if self.over is None or self.over.interval is None:
            return value
        interval = self.over.interval
        confidence = f"{100 * (self.over.confidence or 0):.6g} %"
        return f"{value} ({confidence} interval {interval.low:.6g} to {interval.high:.6g})"

    @property
    def explanation(self) -> str:
        """What a reader needs to know beside figure and bound: why, on which seeds, and how to see it again."""
        if self.over is None or self.passed is None:
            return self.reason
        parts = filter(None, [self.reason, str(self.over)])
        return ": ".join(filter(None, ["; ".join(parts), "" if self.passed else self.command]))

    def __str__(self) -> str:
        """Read as one line."""
        answer = "; ".join(filter(None, [_ANSWERS[self.passed], self.explanation]))
        return f"{self.run_name}: {self.figure_name} is {self.figure}, expected {self.bound}: {answer}"

    def __repr__(self) -> str:
        """Show in an assertion that fails what a reader wants to know."""
        return f"<Verdict {self}>"


def window_of(expectation: Expectation) -> Window:
    """Return the window that the expectation speaks of."""
    return Window(expectation.after_ns or 0, expectation.before_ns)


def check(expectation: Expectation, metrics: Mapping[str, Mapping[str, float]]) -> list[Verdict]:
    """Return a verdict for each variant that the expectation holds, in the order of `metrics`.

    `metrics` has the metrics of every variant that was run, all of one seed and of the expectation's window. A run to
    which the metric does not apply fails.
    """
    held = [variant for variant in metrics if expectation.is_about(variant)]
    return [_verdict(expectation, variant, metrics) for variant in held]


def _verdict(expectation: Expectation, variant: str, metrics: Mapping[str, Mapping[str, float]]) -> Verdict:
    name = _name_in(metrics[variant], expectation)
    bounds = (*(Bound(*limit) for limit in expectation.limits), *_comparisons(expectation, metrics))
    verdict = Verdict(
        name,
        variant,
        metrics[variant].get(name),
        " and ".join(map(str, bounds)),
        None,
        window_of(expectation),
        shows_bug=expectation.shows == "bug",
        counts=not expectation.is_judged_over_seeds,
        bounds=bounds,
        expectation=expectation,
    )
    return replace(verdict, passed=verdict.keeps_bounds)


def _comparisons(expectation: Expectation, metrics: Mapping[str, Mapping[str, float]]) -> Iterator[Bound]:
    for sign, other in expectation.comparisons:
        if other in metrics:
            yield Bound(sign, metrics[other].get(_name_in(metrics[other], expectation)), other)
        else:
            yield Bound(sign, None, other, is_known=False)


def _name_in(metrics: Mapping[str, float], expectation: Expectation) -> str:
    """Return the name that the expected metric has in a run with these figures."""
    if expectation.model is None:
        return expectation.metric
    # A run of one model has no names of models: what it has is that model's.
    has_models = any(name.startswith("models.") for name in metrics)
    return model_metric(expectation.model, expectation.metric) if has_models else expectation.metric
