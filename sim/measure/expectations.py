"""Whether a run did what its scenario expects of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from sim.measure.window import Window
from sim.scenario import Expectation
from sim.scenario.vocabulary import model_metric

_ANSWERS = {True: "held", False: "failed", None: "not checked"}


@dataclass(frozen=True, slots=True, repr=False)
class Verdict:
    """How one run stands to one expectation."""

    metric: str
    """The name under which the run has the figure."""
    variant: str
    value: float | None
    """None if the metric does not apply to the run."""
    bound: str
    """Such as `>= 0.95` or `< pinned (3.2)`."""
    passed: bool | None
    """None if there was nothing to compare with: the other variant was not run."""
    window: Window = field(default_factory=Window)
    """What the value was taken over."""
    seed: int | None = None
    """The run's; None if the figures are of no run in particular."""
    shows_bug: bool = False
    """To keep the bound is to show a known bug."""

    def __str__(self) -> str:
        """Read as one line."""
        run = self.variant if self.seed is None else f"{self.variant}, seed {self.seed}"
        figure = " ".join(filter(None, [self.metric, str(self.window)]))
        value = "absent" if self.value is None else f"{self.value:.6g}"
        return f"{run}: {figure} is {value}, expected {self.bound}: {_ANSWERS[self.passed]}"

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
    held = [variant for variant in metrics if expectation.variant in (None, variant)]
    return [_verdict(expectation, variant, metrics) for variant in held]


def _verdict(expectation: Expectation, variant: str, metrics: Mapping[str, Mapping[str, float]]) -> Verdict:
    name = _name_in(metrics[variant], expectation)
    value = metrics[variant].get(name)
    bounds: list[str] = []
    answers: list[bool | None] = []
    for sign, limit in ((">=", expectation.min), ("<=", expectation.max)):
        if limit is not None:
            bounds.append(f"{sign} {limit:.6g}")
            answers.append(_holds(value, sign, limit))
    for sign, other in ((">", expectation.above), ("<", expectation.below)):
        if other is None:
            continue
        if other not in metrics:
            bounds.append(f"{sign} {other} (not run)")
            answers.append(None)
            continue
        limit = metrics[other].get(_name_in(metrics[other], expectation))
        bounds.append(f"{sign} {other} ({'absent' if limit is None else f'{limit:.6g}'})")
        answers.append(_holds(value, sign, limit))
    return Verdict(
        name,
        variant,
        value,
        " and ".join(bounds),
        _all_hold(value, answers),
        window_of(expectation),
        shows_bug=expectation.shows == "bug",
    )


def _name_in(metrics: Mapping[str, float], expectation: Expectation) -> str:
    """Return the name that the expected metric has in a run with these figures."""
    if expectation.model is None:
        return expectation.metric
    # A run of one model has no names of models: what it has is that model's.
    has_models = any(name.startswith("models.") for name in metrics)
    return model_metric(expectation.model, expectation.metric) if has_models else expectation.metric


def _holds(value: float | None, sign: str, limit: float | None) -> bool:
    if value is None or limit is None:
        return False
    return {">=": value >= limit, "<=": value <= limit, ">": value > limit, "<": value < limit}[sign]


def _all_hold(value: float | None, answers: list[bool | None]) -> bool | None:
    if value is None or False in answers:
        return False
    return None if None in answers else True
