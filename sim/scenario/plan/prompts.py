"""The prompts of a workload as chains of blocks, numbered so that only equal beginnings have equal numbers.

The prompts of a family begin alike, as those with one system prompt do, or those about one document; the blocks that
follow are each request's own. The prompts of a trace are as it tells. Workloads have no blocks in common.
"""

from collections.abc import Iterator
from itertools import count, repeat
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from sim.routing.request import Chain
from sim.scenario.plan.streams import stream
from sim.scenario.spec.schema import Scenario
from sim.scenario.spec.workload import ClosedWorkload, PromptsSpec, TraceWorkload

_BLOCKS_OF_A_WORKLOAD = 1 << 60


class Prompts(Protocol):
    """The prompts of a workload, by number."""

    def chain(self, number: int, /) -> Chain:
        """Return the blocks of the prompt."""

    def of_workload(self, seed: int, requests: int, /) -> NDArray[np.int64]:
        """Return the number of each request's prompt; shape (requests,)."""


class TracePrompts(NamedTuple):
    """The prompts of a trace, by row."""

    chains: tuple[Chain, ...]
    source: int
    """Index of the workload."""

    def chain(self, number: int) -> Chain:
        """Return the blocks of the prompt."""
        first = self.source * _BLOCKS_OF_A_WORKLOAD
        return tuple([first + block for block in self.chains[number]])

    def of_workload(self, _seed: int, requests: int) -> NDArray[np.int64]:
        """Return the rows in their order."""
        return np.arange(requests)


class FamilyPrompts(NamedTuple):
    """All prompts that a workload may draw, by number. Those of one family are `families` numbers apart."""

    spec: PromptsSpec
    source: int
    """Index of the workload."""

    def chain(self, number: int) -> Chain:
        """Return the blocks of the prompt."""
        families, shared, own = self.spec.families, self.spec.shared_blocks, self.spec.own_blocks
        first_shared = self.source * _BLOCKS_OF_A_WORKLOAD + number % families * shared
        first_own = self.source * _BLOCKS_OF_A_WORKLOAD + families * shared + number * own
        return (*range(first_shared, first_shared + shared), *range(first_own, first_own + own))

    def of_workload(self, seed: int, requests: int) -> NDArray[np.int64]:
        """Return the number of each request's prompt, its family drawn; shape (requests,)."""
        draw = stream(seed, "workload", str(self.source), "families")
        return np.arange(requests) * self.spec.families + draw.integers(self.spec.families, size=requests)

    def of_user(self, seed: int, user: int, users: int) -> Iterator[int]:
        """Yield the numbers of the prompts of one of so many users, for ever."""
        draw = stream(seed, "user", f"{self.source}/{user}", "families")
        for place in count(user, users):
            yield place * self.spec.families + int(draw.integers(self.spec.families))


def prompts_of(scenario: Scenario, source: int) -> Prompts | None:
    """Return the prompts of a workload, by its index; None if it says nothing of them."""
    workload = scenario.workload[source]
    if not isinstance(workload, TraceWorkload):
        return FamilyPrompts(workload.prompts, source) if workload.prompts is not None else None
    return TracePrompts(workload.trace.chains, source) if workload.trace.chains else None


def chains_of_user(scenario: Scenario, seed: int, source: int, user: int) -> Iterator[Chain]:
    """Yield the chains of one user's prompts, for ever, by the index of the closed workload and the user's number."""
    workload = scenario.workload[source]
    if not isinstance(workload, ClosedWorkload) or workload.prompts is None:
        return repeat(())
    prompts = FamilyPrompts(workload.prompts, source)
    return map(prompts.chain, prompts.of_user(seed, user, workload.users))
