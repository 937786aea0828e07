"""A mutant of a metric: its place in the catalogue is taken by one that is computed otherwise."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from sim.measure.catalogue import CATALOGUE
from sim.measure.catalogue.metric import ModelMetric, RunMetric
from sim.testing.mutants.mutant import Mutant


def wrong_metric(name: str, metric: str, slip: str, wrong: Callable[..., Any], *seen_in: str) -> Mutant:
    """Return the mutant of that name, in which the metric has the figure that `wrong` computes."""
    figured = tuple(
        replace(one, figure=wrong) if isinstance(one, RunMetric | ModelMetric) and one.name == metric else one
        for one in CATALOGUE
    )
    return Mutant(name, "sim.measure.summary:CATALOGUE", slip, figured, seen_in)
