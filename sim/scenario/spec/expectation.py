"""What a scenario file expects of its runs."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sim.scenario.spec.base import Spec, wrong
from sim.scenario.text.units import Duration, Seeds


class Expectation(Spec):
    """A bound that a metric must keep, for one variant or for all."""

    metric: str
    """Name of the metric, such as `fairness.jain`."""
    model: str | None = None
    """Whose metric it is, of a metric that is taken per model; the one with the worst figure if not given."""
    variant: str | None = None
    """Variant that must keep the bound; every variant if not given."""
    min: float | None = None
    """Smallest value that passes."""
    max: float | None = None
    """Largest value that passes."""
    equals: float | None = None
    """The only value that passes."""
    above: str | None = None
    """Variant whose value this variant must exceed."""
    below: str | None = None
    """Variant whose value this variant must stay under."""
    after_ns: Duration | None = Field(default=None, alias="after")
    """Only requests that arrive at this time or later count."""
    before_ns: Duration | None = Field(default=None, alias="before")
    """Only requests that arrive before this time count."""
    over: Seeds | None = None
    """Number of seeds that it is judged on: by the interval of the mean, or of the difference to the other variant."""
    confidence: float = Field(default=0.95, ge=0.5, lt=1)
    """How sure the interval over the seeds has to be. All of it has to keep the bound."""
    for_every_seed: bool = False
    """Whether it has to hold on every seed, as a law does, and not only on average."""
    shows: Literal["bug"] | None = None
    """`bug` if keeping the bound is not good but shows a known bug, which reports then say."""

    @property
    def is_judged_over_seeds(self) -> bool:
        """Whether it is judged once on all seeds together, not on each by itself."""
        return self.over is not None or self.for_every_seed

    @property
    def is_about_the_mean(self) -> bool:
        """Whether the interval of a mean is what has to keep the bound."""
        return self.over is not None and not self.for_every_seed

    @property
    def limits(self) -> tuple[tuple[str, float], ...]:
        """The bounds that are numbers, each after its sign: `=`, or `>=` and `<=`."""
        if self.equals is not None:
            return (("=", self.equals),)
        if self.min is not None and self.min == self.max:
            return (("=", self.min),)
        return tuple((sign, limit) for sign, limit in ((">=", self.min), ("<=", self.max)) if limit is not None)

    @property
    def comparisons(self) -> tuple[tuple[str, str], ...]:
        """The variants that it compares its own with, each after `>` or `<`."""
        return tuple((sign, other) for sign, other in ((">", self.above), ("<", self.below)) if other is not None)

    @property
    def others(self) -> tuple[str, ...]:
        """The variants that it compares its own with."""
        return tuple(other for _, other in self.comparisons)

    def is_about(self, variant: str) -> bool:
        """Tell whether the variant must keep the bound."""
        return self.variant in (None, variant)

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        if not self.others and self.min is None and self.max is None and self.equals is None:
            raise wrong("", "found no bound; allowed: at least one of min, max, equals, above, below")
        if self.others and self.variant is None:
            raise wrong("variant", "missing; above and below compare it with another variant")
        if self.equals is not None and (self.min is not None or self.max is not None):
            raise wrong("equals", "found beside min or max; allowed: one or the other")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise wrong("min", f"found {self.min} above max; allowed: at most {self.max}")
        return self

    @model_validator(mode="after")
    def _window(self) -> Self:
        if self.after_ns is not None and self.before_ns is not None and self.after_ns >= self.before_ns:
            raise wrong("after", "found a window without length; allowed: earlier than before")
        return self

    @model_validator(mode="after")
    def _seeds(self) -> Self:
        if "confidence" in self.model_fields_set and not self.is_about_the_mean:
            raise wrong("confidence", "found where no mean is judged; allowed: with over, and without for_every_seed")
        if not self.is_about_the_mean:
            return self
        if self.equals is not None:
            raise wrong(
                "equals", "found for a mean, which equals nothing exactly; allowed: min and max, or for_every_seed"
            )
        if len(self.others) > 1 or (self.others and (self.min is not None or self.max is not None)):
            raise wrong("over", "found for several comparisons; allowed: an expectation for each, min and max together")
        return self
