"""What tests of policies show them, how they make one, and how they judge what it draws."""

import random
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from scipy import stats

from sim.routing.policies.adapter import takes_parameters
from sim.routing.policies.port import PolicyClock, PolicyContext, ReplicaView, RequestView
from sim.scenario.policies.making import checked_parameters
from tests.hand_clock import HandClock

REQUEST = RequestView(0, "m", 0)
OTHER_MODEL = RequestView(1, "n", 0)
SECOND = 10**9
FALSE_ALARM = 1e-6
"""Odds that a share is refused though it is right; the draws are the same in every run."""


def replica(node: str, in_flight: int = 0, last_used_ns: int = 0, row: str = "") -> ReplicaView:
    return ReplicaView(row or f"row of {node}", node, 0, in_flight, last_used_ns, 0)


def of_speeds(replicas: list[ReplicaView], **capacities: float) -> list[ReplicaView]:
    """Return the replicas with the capacities that their nodes have announced."""
    return [one._replace(capacity=capacities.get(one.node, 1.0)) for one in replicas]


def loads(**in_flight: int) -> list[ReplicaView]:
    """Return replicas by node, with so many requests in flight."""
    return [replica(node, count) for node, count in in_flight.items()]


def made(policy: type, frontend: int = 0, seed: int = 1, clock: HandClock | None = None, **keys: Any) -> Any:
    """Return the policy of one frontend, with its keys as a scenario writes them."""
    if not takes_parameters(policy):
        return policy()
    now_ns = (clock or HandClock()).now_ns
    return policy(PolicyContext(frontend, PolicyClock(now_ns), random.Random(seed), checked_parameters(policy, keys)))


def picks(policy: Any, lists: Iterable[list[ReplicaView]]) -> str:
    """Return the nodes that are picked from one list after the other; `-` for none."""
    picked = [policy.pick(replicas, REQUEST) for replicas in lists]
    return "".join(one.node if one is not None else "-" for one in picked)


def assert_drawn(policy: Any, replicas: list[ReplicaView], chances: Mapping[str, float], draws: int = 3000) -> None:
    """Check that each node's share of many picks is that chance, by exact binomial tests at FALSE_ALARM in all."""
    counts = Counter(picks(policy, [replicas] * draws))
    assert set(counts) <= set(chances)
    for node, chance in chances.items():
        odds = stats.binomtest(counts[node], draws, chance).pvalue
        assert odds >= FALSE_ALARM / len(chances), f"{node}: {counts[node]} of {draws}, expected {chance:.3f}"
