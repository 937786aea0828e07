"""A scenario whose third replica comes late, with a picker that forgets it and one that does not."""

from typing import Any

from tests.pickers import ForgetfulRoundRobin

TEXT = """
name: late_replica
duration: 40s
nodes: [{name: n0}, {name: n1}, {name: n2}]
models:
  - name: qwen3
    service: {mean: 100ms}
    replicas: [{node: n0}, {node: n1}, {node: n2, ready_at: 10s}]
workload:
  - {kind: poisson, model: qwen3, rate: 6/s}
"""


class RoundRobin:
    """In turn, over the replicas that are there now."""

    def __init__(self, context: Any) -> None:
        self.turn = 0

    def pick(self, replicas: Any, request: Any) -> Any:
        self.turn += 1
        return replicas[self.turn % len(replicas)] if replicas else None


class Forgetful(ForgetfulRoundRobin):
    """Waits for two replicas, then never looks again."""

    def pick(self, replicas: Any, request: Any) -> Any:
        return super().pick(replicas, request) if self.known or len(replicas) > 1 else None


POLICIES = {"forgetful": Forgetful, "right": RoundRobin}
