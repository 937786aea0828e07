"""Sizes of requests and think times of users: whole numbers from random streams keyed by their owner."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.scenario.plan.streams import stream
from sim.scenario.spec.distribution import Law, draw
from sim.scenario.spec.schema import Scenario
from sim.scenario.spec.service import ServiceSpec
from sim.scenario.spec.workload import ClosedWorkload, TokensSpec, TraceWorkload
from sim.scenario.text.units import LONGEST_NS

# A draw may use several random numbers. Blocks have a fixed length, so that the first draws are the same no matter
# how many follow.
_BLOCK = 4096
_USER_BLOCK = 32
_MOST_TOKENS = 10**9


class Quantity(NamedTuple):
    """A random whole number: a law around a mean. A mean of zero is always zero; any other gives at least one."""

    purpose: str
    """Purpose of the stream that it draws from."""
    law: Law
    mean: float
    most: int


class Sizes(NamedTuple):
    """The sizes of one owner's requests: of a workload, or of one user."""

    seed: int
    role: str
    entity: str
    think_ns: Quantity
    drawn: Mapping[str, Quantity]
    """By the field of a request."""

    def columns(self, count: int) -> dict[str, NDArray[np.int64]]:
        """Return the first `count` values of each drawn field."""
        return {name: self._column(quantity, count) for name, quantity in self.drawn.items()}

    def one_by_one(self) -> Iterator[tuple[int, dict[str, int]]]:
        """Yield think_ns and the drawn fields of one request after the other, for ever."""
        for think_ns, *values in zip(*map(self._values, (self.think_ns, *self.drawn.values())), strict=True):
            yield think_ns, dict(zip(self.drawn, values, strict=True))

    def _column(self, quantity: Quantity, count: int) -> NDArray[np.int64]:
        if quantity.mean == 0:
            return np.zeros(count, dtype=np.int64)
        generator = stream(self.seed, self.role, self.entity, quantity.purpose)
        values = np.empty(count, dtype=np.int64)
        for start in range(0, count, _BLOCK):
            values[start : start + _BLOCK] = _block(quantity, generator, _BLOCK)[: count - start]
        return values

    def _values(self, quantity: Quantity) -> Iterator[int]:
        if quantity.mean == 0 or quantity.law.distribution == "deterministic":
            constant = max(1, round(quantity.mean)) if quantity.mean else 0
            while True:
                yield constant
        generator = stream(self.seed, self.role, self.entity, quantity.purpose)
        while True:
            yield from _block(quantity, generator, _USER_BLOCK).tolist()


def sizes_of_workload(scenario: Scenario, seed: int, source: int) -> Sizes:
    """Return the sizes of an open workload's requests, by its index."""
    return _sizes(scenario, seed, source, "workload", str(source))


def sizes_of_user(scenario: Scenario, seed: int, source: int, number: int) -> Sizes:
    """Return the sizes of one user's requests, by the index of the closed workload and the number of the user."""
    return _sizes(scenario, seed, source, "user", f"{source}/{number}")


def _sizes(scenario: Scenario, seed: int, source: int, role: str, entity: str) -> Sizes:
    workload = scenario.workload[source]
    service = next(model.service for model in scenario.models if model.name == workload.model)
    think = Quantity("think", Law("deterministic"), 0, 0)
    if isinstance(workload, ClosedWorkload):
        think = Quantity("think", workload.think.law, workload.think.mean_ns, LONGEST_NS)
    drawn = {"demand_ns": _demand(service)}
    if not isinstance(workload, TraceWorkload):
        drawn["prompt_tokens"] = _tokens("prompt_tokens", workload.prompt_tokens)
        drawn["output_tokens"] = _tokens("output_tokens", workload.output_tokens)
    return Sizes(seed, role, entity, think, drawn)


def _tokens(purpose: str, tokens: TokensSpec) -> Quantity:
    return Quantity(purpose, tokens.law, tokens.mean, _MOST_TOKENS)


def _demand(service: ServiceSpec) -> Quantity:
    if service.mean_ns is None:
        return Quantity("demand", Law("deterministic"), 0, 0)
    return Quantity("demand", service.law, service.mean_ns, LONGEST_NS)


def _block(quantity: Quantity, generator: np.random.Generator, count: int) -> NDArray[np.int64]:
    values = np.rint(draw(quantity.law, generator, count) * quantity.mean)
    return np.clip(values, 1, quantity.most).astype(np.int64)
