"""The plan of a run: every request that will arrive, when, and how large it is, before anything is simulated.

A plan follows from the scenario's workloads and the seed alone. Each workload draws from streams of its own, so another
policy, node or workload changes none of its requests.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.scenario.plan.arrivals import arrivals_ns
from sim.scenario.plan.demand_estimate import horizon_ns
from sim.scenario.plan.request_sizes import Sizes, sizes_of_user, sizes_of_workload
from sim.scenario.plan.streams import stream
from sim.scenario.spec.schema import Scenario
from sim.scenario.spec.workload import ClosedWorkload, TraceWorkload, WorkloadSpec

_ROWS_AT_ONCE = 8192

OpenRow = tuple[int, int, int, int, int, int, int]
"""One request: arrival_ns, source, frontend, model, prompt_tokens, output_tokens, demand_ns."""


@dataclass(frozen=True, slots=True)
class OpenRequests:
    """Requests whose arrival times are known before the run, in order of arrival, as columns.

    Ties go by workload, then by number within it. Iterating gives `OpenRow`s of Python integers.
    """

    arrival_ns: NDArray[np.int64]
    source: NDArray[np.int32]
    """Index of the workload."""
    frontend: NDArray[np.int32]
    model: NDArray[np.int32]
    """Index of the model."""
    prompt_tokens: NDArray[np.int32]
    output_tokens: NDArray[np.int32]
    demand_ns: NDArray[np.int64]
    """Service time at speed 1 where it is drawn, else 0."""

    def __len__(self) -> int:
        return len(self.arrival_ns)

    def __iter__(self) -> Iterator[OpenRow]:
        """Yield the requests one by one; only a few thousand exist as Python integers at a time."""
        columns = (
            self.arrival_ns,
            self.source,
            self.frontend,
            self.model,
            self.prompt_tokens,
            self.output_tokens,
            self.demand_ns,
        )
        for start in range(0, len(self), _ROWS_AT_ONCE):
            yield from zip(*(column[start : start + _ROWS_AT_ONCE].tolist() for column in columns), strict=True)


class Call(NamedTuple):
    """What a user does next: think, then send a request of this size."""

    think_ns: int
    prompt_tokens: int
    output_tokens: int
    demand_ns: int


@dataclass(slots=True)
class ClosedUser:
    """One user of a closed workload, who waits for the end of each request before thinking about the next."""

    source: int
    """Index of the workload."""
    number: int
    """Index of the user within it."""
    frontend: int
    model: int
    """Index of the model."""
    start_ns: int
    """When the user begins to think for the first time."""
    stop_ns: int
    """The user sends nothing from here on."""
    _sizes: Sizes = field(repr=False)
    _calls: Iterator[Call] | None = field(default=None, init=False, repr=False)

    def next_call(self) -> Call:
        """Return the user's next call. It depends on its place in the sequence alone."""
        if self._calls is None:
            self._calls = map(Call._make, self._sizes.one_by_one())
        return next(self._calls)


@dataclass(frozen=True, slots=True)
class Plan:
    """All requests of a run."""

    scenario: Scenario
    seed: int
    open: OpenRequests

    @property
    def closed_users(self) -> tuple[ClosedUser, ...]:
        """All users of closed workloads, by workload and number.

        Each access makes new ones, at the beginning of their streams, so one plan can be run more than once.
        """
        return tuple(
            user
            for source, workload in enumerate(self.scenario.workload)
            if isinstance(workload, ClosedWorkload)
            for user in _users(self.scenario, self.seed, source, workload)
        )


def make_plan(scenario: Scenario, seed: int) -> Plan:
    """Expand a loaded scenario: the same plan for the same workloads, services and seed (0 to 2^64 - 1)."""
    parts = [
        _open_requests(scenario, seed, source)
        for source, workload in enumerate(scenario.workload)
        if not isinstance(workload, ClosedWorkload)
    ]
    return Plan(scenario, seed, _in_order(parts))


def _open_requests(scenario: Scenario, seed: int, source: int) -> OpenRequests:
    workload = scenario.workload[source]
    generator = stream(seed, "workload", str(source), "arrivals")
    arrivals = arrivals_ns(workload, horizon_ns(scenario, workload), generator)
    count = len(arrivals)
    sizes = sizes_of_workload(scenario, seed, source)
    if isinstance(workload, TraceWorkload):
        prompts, outputs = workload.trace.prompt_tokens[:count], workload.trace.output_tokens[:count]
    else:
        prompts, outputs = sizes.column(sizes.prompt_tokens, count), sizes.column(sizes.output_tokens, count)
    return OpenRequests(
        arrival_ns=arrivals,
        source=np.full(count, source, dtype=np.int32),
        frontend=np.arange(count, dtype=np.int32) % scenario.frontends,
        model=np.full(count, _model_index(scenario, workload), dtype=np.int32),
        prompt_tokens=prompts.astype(np.int32),
        output_tokens=outputs.astype(np.int32),
        demand_ns=sizes.column(sizes.demand_ns, count),
    )


def _in_order(parts: list[OpenRequests]) -> OpenRequests:
    """Merge the workloads' requests by arrival, ties by workload."""
    if len(parts) == 1:
        return parts[0]
    # With closed workloads alone there is nothing to join, so each column starts from an empty one of its type.
    arrivals = np.concatenate([np.empty(0, np.int64), *(part.arrival_ns for part in parts)])
    order = np.argsort(arrivals, kind="stable")

    def joined(columns: list[NDArray[np.int32]]) -> NDArray[np.int32]:
        return np.concatenate([np.empty(0, np.int32), *columns])[order]

    return OpenRequests(
        arrival_ns=arrivals[order],
        source=joined([part.source for part in parts]),
        frontend=joined([part.frontend for part in parts]),
        model=joined([part.model for part in parts]),
        prompt_tokens=joined([part.prompt_tokens for part in parts]),
        output_tokens=joined([part.output_tokens for part in parts]),
        demand_ns=np.concatenate([np.empty(0, np.int64), *(part.demand_ns for part in parts)])[order],
    )


def _users(scenario: Scenario, seed: int, source: int, workload: ClosedWorkload) -> Iterator[ClosedUser]:
    for number in range(workload.users):
        yield ClosedUser(
            source=source,
            number=number,
            frontend=number % scenario.frontends,
            model=_model_index(scenario, workload),
            start_ns=workload.start_ns,
            stop_ns=horizon_ns(scenario, workload),
            _sizes=sizes_of_user(scenario, seed, source, number),
        )


def _model_index(scenario: Scenario, workload: WorkloadSpec) -> int:
    return next(index for index, model in enumerate(scenario.models) if model.name == workload.model)
