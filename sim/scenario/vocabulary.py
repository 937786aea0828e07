"""Which metrics an expectation may ask for, and how the names of a model's and a replica's metrics are written."""

import re
from dataclasses import dataclass

_INDEX = r"0|[1-9][0-9]{0,3}"


@dataclass(frozen=True, slots=True)
class AskedMetric:
    """A metric's name, taken apart."""

    metric: str
    """As the vocabulary has it."""
    model: str | None = None
    """The model that the name names."""
    replica: tuple[str, int] | None = None
    """Node and index of the replica that the name names."""


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The metrics there are. Whoever computes them says which; a scenario is only checked against it."""

    of_run: tuple[str, ...] = ()
    of_model: tuple[str, ...] = ()
    """Names of two parts, as `fairness.jain`; for one model `models.<model>.fairness.jain`."""
    of_replica: tuple[str, ...] = ()
    """Last parts, as `share`: `replicas.<label>.share`."""

    @property
    def names(self) -> tuple[str, ...]:
        """Every name that holds in any scenario."""
        return self.of_run + self.of_model

    def ask(self, name: str) -> AskedMetric | None:
        """Take the name of a metric apart; None if no metric can have it."""
        if name in self.names:
            return AskedMetric(name)
        if match := re.fullmatch(r"models\.(?P<model>.+)\.(?P<metric>[^.]+\.[^.]+)", name):
            return AskedMetric(match["metric"], match["model"]) if match["metric"] in self.of_model else None
        pattern = rf"replicas\.(?:(?P<model>[^@]+)@)?(?P<node>[^@]+)#(?P<index>{_INDEX})\.(?P<metric>[^.]+)"
        if (match := re.fullmatch(pattern, name)) and match["metric"] in self.of_replica:
            return AskedMetric(match["metric"], match["model"], (match["node"], int(match["index"])))
        return None


NO_METRICS = Vocabulary()
"""For a text that expects nothing."""


def model_metric(model: str, metric: str) -> str:
    """Return the name of one model's metric, in a run of several models."""
    return f"models.{model}.{metric}"


def replica_metric(label: str, metric: str) -> str:
    """Return the name of one replica's metric."""
    return f"replicas.{label}.{metric}"


def replica_of_share(metric: str) -> str | None:
    """Return the label of the replica whose share the metric is, `replicas.<label>.share`; None for any other."""
    label = metric.removeprefix("replicas.").removesuffix(".share")
    return label if metric == replica_metric(label, "share") else None


def replica_label(node: str, index: int, model: str | None) -> str:
    """Return what a replica is called: `node#index`, or `model@node#index` in a run of several models.

    `model` is None in a run of one. No name has an `@` or `#` in it, so that `Vocabulary.ask` can take a label apart.
    """
    place = f"{node}#{index}"
    return place if model is None else f"{model}@{place}"
