"""The plan of a run: every request that will arrive, when, and how large it is, before anything is simulated.

A plan follows from the scenario's workloads and the seed alone. Each workload draws from streams of its own, so another
policy, node or workload changes none of its requests.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain, repeat
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sim.routing.clients import Turn, User
from sim.routing.request import COLUMNS, PLANNED, UNSENT, Chain, Request
from sim.scenario.plan.arrivals import arrivals_ns
from sim.scenario.plan.dealing import frontend_of_user, frontends_of
from sim.scenario.plan.demand_estimate import horizon_ns
from sim.scenario.plan.prompts import Prompts, chains_of_user, prompts_of
from sim.scenario.plan.request_sizes import sizes_of_user, sizes_of_workload
from sim.scenario.plan.streams import stream
from sim.scenario.spec.schema import Scenario
from sim.scenario.spec.workload import ClosedWorkload, TraceWorkload, WorkloadSpec

_ROWS_AT_ONCE = 512
_PROMPT = "prompt"
_COLUMNS = (*COLUMNS, _PROMPT)

Columns = Mapping[str, NDArray[Any]]
"""Whole numbers, by the field of a request; for the model its index, and for the chain, as `prompt`, its number."""


@dataclass(frozen=True, slots=True)
class OpenRequests:
    """Requests whose arrival depends on nothing that happens in the run, in order of arrival.

    Ties go by workload, then by number within it. Iterating makes the requests, which are not sent yet; indexing by a
    field of a request gives its column, shape (requests,).
    """

    columns: Columns
    models: tuple[str, ...]
    """By index."""
    patience_ns: tuple[int | None, ...]
    """By index of the workload."""
    prompts: Mapping[int, Prompts] = field(default_factory=dict)
    """By index of the workload; one that is missing has none."""

    def __len__(self) -> int:
        return len(self.columns["arrival_ns"])

    def __getitem__(self, field: str) -> NDArray[Any]:
        """Return a column."""
        return self.columns[field]

    def __iter__(self) -> Iterator[Request]:
        """Make the requests one by one; only a few thousand exist as Python integers at a time."""
        return chain.from_iterable(map(self._some, range(0, len(self), _ROWS_AT_ONCE)))

    def _some(self, start: int) -> Iterator[Request]:
        """Return the requests of the rows from `start` on, as many as are made at once."""
        part: dict[str, list[Any]] = {
            name: column[start : start + _ROWS_AT_ONCE].tolist() for name, column in self.columns.items()
        }
        part["model"] = [self.models[index] for index in part["model"]]
        part["patience_ns"] = [self.patience_ns[source] for source in part["source"]]
        part["chain"] = self._chains(part) if self.prompts else [()] * len(part["source"])
        return map(Request, repeat(UNSENT), *(part[name] for name in PLANNED))

    def _chains(self, part: Mapping[str, list[int]]) -> list[Chain]:
        return [
            self.prompts[source].chain(number) if source in self.prompts else ()
            for source, number in zip(part["source"], part[_PROMPT], strict=True)
        ]


@dataclass(frozen=True, slots=True)
class Plan:
    """All requests of a run."""

    scenario: Scenario
    seed: int
    open: OpenRequests

    @property
    def closed_users(self) -> tuple[User, ...]:
        """All users of closed workloads, by workload and number.

        Each access makes new ones, at the beginning of their streams, so one plan can be run more than once.
        """
        return tuple(
            _user(self.scenario, self.seed, source, workload, number)
            for source, workload in enumerate(self.scenario.workload)
            if isinstance(workload, ClosedWorkload)
            for number in range(workload.users)
        )


def make_plan(scenario: Scenario, seed: int) -> Plan:
    """Expand a loaded scenario: the same plan for the same workloads, services and seed (0 to 2^64 - 1)."""
    parts = [
        _open_columns(scenario, seed, source)
        for source, workload in enumerate(scenario.workload)
        if not isinstance(workload, ClosedWorkload)
    ]
    models = tuple(model.name for model in scenario.models)
    patience_ns = tuple(workload.patience_ns for workload in scenario.workload)
    prompts = {source: prompts for source in range(len(scenario.workload)) if (prompts := prompts_of(scenario, source))}
    return Plan(scenario, seed, OpenRequests(_in_order(parts), models, patience_ns, prompts))


def _open_columns(scenario: Scenario, seed: int, source: int) -> Columns:
    workload = scenario.workload[source]
    generator = stream(seed, "workload", str(source), "arrivals")
    arrivals = arrivals_ns(workload, horizon_ns(scenario, workload), generator)
    count = len(arrivals)
    given: dict[str, Any] = {
        "arrival_ns": arrivals,
        "source": source,
        "frontend": frontends_of(scenario, seed, source, count),
        "model": _model_index(scenario, workload),
        **sizes_of_workload(scenario, seed, source).columns(count),
    }
    if isinstance(workload, TraceWorkload):
        given["prompt_tokens"] = workload.trace.prompt_tokens[:count]
        given["output_tokens"] = workload.trace.output_tokens[:count]
    if prompts := prompts_of(scenario, source):
        given[_PROMPT] = prompts.of_workload(seed, count)
    # A figure that all requests share is held once.
    return {name: np.broadcast_to(np.asarray(given.get(name, 0), _dtype(name)), count) for name in _COLUMNS}


def _in_order(parts: list[Columns]) -> Columns:
    """Merge the workloads' requests by arrival, ties by workload."""
    if len(parts) == 1:
        return parts[0]
    # With closed workloads alone there is nothing to join, so each column starts from an empty one of its type.
    joined = {name: np.concatenate([np.empty(0, _dtype(name)), *(part[name] for part in parts)]) for name in _COLUMNS}
    order = np.argsort(joined["arrival_ns"], kind="stable")
    return {name: column[order] for name, column in joined.items()}


def _dtype(field: str) -> type[np.signedinteger[Any]]:
    return np.int64 if field.endswith("_ns") or field == _PROMPT else np.int32


def _user(scenario: Scenario, seed: int, source: int, workload: ClosedWorkload, number: int) -> User:
    frontend = frontend_of_user(scenario, seed, source, number)

    def turns() -> Iterator[Turn]:
        chains = chains_of_user(scenario, seed, source, number)
        for think_ns, size in sizes_of_user(scenario, seed, source, number).one_by_one():
            more: dict[str, Any] = {**size, "patience_ns": workload.patience_ns, "chain": next(chains)}
            yield Turn(think_ns, Request(UNSENT, workload.model, frontend, source, 0, **more))

    return User(frontend, workload.start_ns, horizon_ns(scenario, workload), turns())


def _model_index(scenario: Scenario, workload: WorkloadSpec) -> int:
    return next(index for index, model in enumerate(scenario.models) if model.name == workload.model)
