"""What a scenario file expects of its runs."""

from typing import Literal, Self

from pydantic import Field, model_validator

from sim.scenario.spec.base import Spec, wrong
from sim.scenario.text.units import Duration


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
    above: str | None = None
    """Variant whose value this variant must exceed."""
    below: str | None = None
    """Variant whose value this variant must stay under."""
    after_ns: Duration | None = Field(default=None, alias="after")
    """Only requests that arrive at this time or later count."""
    before_ns: Duration | None = Field(default=None, alias="before")
    """Only requests that arrive before this time count."""
    shows: Literal["bug"] | None = None
    """`bug` if keeping the bound is not good but shows a known bug, which reports then say."""

    @model_validator(mode="after")
    def _bounds(self) -> Self:
        compared = self.above is not None or self.below is not None
        if self.min is None and self.max is None and not compared:
            raise wrong("", "found no bound; allowed: at least one of min, max, above, below")
        if compared and self.variant is None:
            raise wrong("variant", "missing; above and below compare it with another variant")
        if self.min is not None and self.max is not None and self.min > self.max:
            raise wrong("min", f"found {self.min} above max; allowed: at most {self.max}")
        if self.after_ns is not None and self.before_ns is not None and self.after_ns >= self.before_ns:
            raise wrong("after", "found a window without length; allowed: earlier than before")
        return self
