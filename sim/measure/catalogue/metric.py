"""What a metric is: its name, unit, better direction and sentence, and the function that computes it."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum, StrEnum

from sim.measure.catalogue.subject import REQUESTS, Subject
from sim.measure.catalogue.view import ModelView, View
from sim.scenario.vocabulary import model_metric, replica_metric


class Unit(StrEnum):
    """What a figure is counted in."""

    COUNT = "count"
    SECONDS = "s"
    PER_SECOND = "per second"
    SHARE = "share"
    """A part of a whole, from 0 to 1."""
    RATIO = "ratio"
    """One figure over another of the same unit, from 0."""
    INDEX = "index"
    """A measure from 0 to 1."""
    VERDICT = "verdict"
    """The number of an answer in words."""


class Better(StrEnum):
    """Which of two figures is the better one."""

    LOWER = "lower"
    HIGHER = "higher"
    NEITHER = "neither"


class Shown(Enum):
    """When a table of results has a row for the metric."""

    ALWAYS = "always"
    IF_ANY = "if any variant has a figure other than 0"
    IF_SPEEDS_DIFFER = "if the scenario's nodes differ in speed"
    IF_EXPECTED = "if an expectation is about it"


@dataclass(frozen=True, slots=True)
class Metric(ABC):
    """One entry of the catalogue."""

    name: str
    unit: Unit
    better: Better
    sentence: str
    """What it is, so that the name alone need not tell."""
    shown: Shown = field(default=Shown.IF_EXPECTED, kw_only=True)
    subject: Subject = field(default=REQUESTS, kw_only=True)
    """What has to have happened for its figures to say something."""

    @property
    def pattern(self) -> str:
        """The name as it is in a summary, with <placeholders> for what depends on the scenario."""
        return self.name

    @abstractmethod
    def figures(self, view: View) -> dict[str, float]:
        """Return the figures of this metric by their full names; empty if it does not apply."""


@dataclass(frozen=True, slots=True)
class RunMetric(Metric):
    """A metric of the run as a whole."""

    figure: Callable[[View], float | None]
    """Returns None if the metric does not apply."""

    def figures(self, view: View) -> dict[str, float]:
        """Return the one figure."""
        value = self.figure(view)
        return {} if value is None else {self.name: value}


@dataclass(frozen=True, slots=True)
class ModelMetric(Metric):
    """A metric of each model; its plain name is that of the model with the worst figure."""

    figure: Callable[[ModelView], float | None]
    """Returns None if the metric does not apply."""
    follows: "ModelMetric | None" = field(default=None, kw_only=True)
    """The metric that chooses the model in its place, for one that has no better direction."""

    def figures(self, view: View) -> dict[str, float]:
        """Return the worst model's figure and, if the scenario has several models, that of each under its name."""
        by_model = self._by_model(view)
        if not by_model:
            return {}
        plain = {self.name: by_model[self._worst_model(view, by_model)]}
        if not view.facts.several_models:
            return plain
        return plain | {model_metric(model, self.name): value for model, value in by_model.items()}

    def _by_model(self, view: View) -> Mapping[str, float]:
        figures = ((one.model, self.figure(one)) for one in view.models)
        return {model: value for model, value in figures if value is not None}

    def _worst_model(self, view: View, by_model: Mapping[str, float]) -> str:
        """Return the model with the worst of the figures, the scenario's first of those that are equally bad."""
        if self.follows is not None:
            return self.follows._worst_model(view, self.follows._by_model(view))
        worst = min if self.better is Better.HIGHER else max
        return worst(by_model, key=by_model.__getitem__)


@dataclass(frozen=True, slots=True)
class ReplicaMetric(Metric):
    """A metric of each replica that counts; the name is only the last part of `replicas.<label>.<name>`."""

    figure: Callable[[ModelView, int], float | None]
    """Is given the replica's code. Returns None if the metric does not apply."""

    @property
    def pattern(self) -> str:
        """The full name, without the label."""
        return replica_metric("<label>", self.name)

    def figures(self, view: View) -> dict[str, float]:
        """Return the figure of each replica, model by model."""
        named = (
            (replica_metric(view.facts.label(key), self.name), self.figure(model, code))
            for model in view.models
            for code, key in model.replicas.items()
        )
        return {name: value for name, value in named if value is not None}
