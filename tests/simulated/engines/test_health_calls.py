"""What a health call waits for while a process serves: everything, the running call, or nothing."""

from collections.abc import Sequence
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim import loads
from sim.routing.request import Request
from sim.scenario.spec.engines import HealthName
from sim.simulated.engines.fifo import FifoEngine
from sim.simulated.engines.port import EngineSettings
from sim.simulated.kernel.runtime import SimulatedRuntime
from sim.simulated.nodes.work_speed import FULL_SPEED
from sim.study.run import run

FAR_NS = 10**18


class Unheard:
    def begins(self, request: Request) -> None: ...

    def recalled(self, request: Request, blocks: int) -> None: ...

    def first_token(self, request: Request) -> None: ...

    def ends(self, request: Request) -> None: ...


def answered_ns(health: HealthName, served_ns: Sequence[int], asked_ns: Sequence[int]) -> list[int]:
    """Return when each health call is answered, if calls that take `served_ns` come together at time 0."""
    runtime = SimulatedRuntime()
    engine = FifoEngine(runtime, EngineSettings(1, health, lambda *size: (0, size[2]), False), FULL_SPEED)
    answers_ns = [0] * len(asked_ns)

    async def ask(number: int) -> None:
        await runtime.sleep(asked_ns[number])
        await engine.health()
        answers_ns[number] = runtime.now_ns()

    for demand_ns in served_ns:
        runtime.spawn(engine.predict(Request(0, "m", 0, 0, 0, 0, 0, demand_ns), Unheard()), "call")
    for number in range(len(asked_ns)):
        runtime.spawn(ask(number), "ask")
    runtime.run_tasks(FAR_NS)
    return answers_ns


@pytest.mark.parametrize(
    ("health", "expected_ns"),
    [("serialized", [40, 40, 50]), ("event_loop", [10, 20, 50]), ("independent", [5, 6, 50])],
)
def test_health_calls_wait_for_all_calls_or_for_one_each_or_for_none(
    health: HealthName, expected_ns: list[int]
) -> None:
    assert answered_ns(health, served_ns=[10, 10, 10, 10], asked_ns=[5, 6, 50]) == expected_ns


def test_the_health_calls_that_are_left_are_answered_together_when_an_event_loop_has_no_more_to_serve() -> None:
    assert answered_ns("event_loop", served_ns=[10, 10], asked_ns=[1, 2, 3, 4]) == [10, 20, 20, 20]


def turns_of_a_loop(served_ns: Sequence[int], asked_ns: Sequence[int]) -> list[int]:
    """Return the law: each health call gets the first end of a call that none before it got; the last end has room."""
    *ends_ns, last_ns = accumulate(served_ns)
    answers_ns = []
    for at_ns in asked_ns:
        turn_ns = next((end_ns for end_ns in ends_ns if end_ns > at_ns), max(at_ns, last_ns))
        if turn_ns in ends_ns:
            ends_ns.remove(turn_ns)
        answers_ns.append(turn_ns)
    return answers_ns


# Calls take even times and health calls come at odd ones, so that none comes at the very end of a call.
SERVED_NS = st.lists(st.integers(1, 50).map(lambda n: 2 * n), min_size=1, max_size=8)
ASKED_NS = st.lists(st.integers(0, 250).map(lambda n: 2 * n + 1), max_size=8).map(sorted)


@given(served_ns=SERVED_NS, asked_ns=ASKED_NS)
def test_an_event_loop_answers_one_health_call_at_each_end_of_a_call(served_ns: list[int], asked_ns: list[int]) -> None:
    assert answered_ns("event_loop", served_ns, asked_ns) == turns_of_a_loop(served_ns, asked_ns)


@given(served_ns=SERVED_NS, asked_ns=st.integers(0, 250).map(lambda n: 2 * n + 1))
def test_a_lone_health_call_to_an_event_loop_never_waits_longer_than_one_call_takes(
    served_ns: list[int], asked_ns: int
) -> None:
    assert answered_ns("event_loop", served_ns, [asked_ns])[0] - asked_ns < max(served_ns)


@pytest.mark.parametrize("bug", ["serialized", "independent"])
def test_the_law_finds_a_loop_that_answers_after_all_calls_or_in_the_middle_of_one(bug: HealthName) -> None:
    assert answered_ns(bug, [10, 10], [5]) != turns_of_a_loop([10, 10], [5])


BUSY = """
name: busy
duration: 10s
nodes: [{name: n0, slots: 1}]
models:
  - name: m
    backend: {health: HEALTH, load_time: 1s}
    service: {mean: MEAN, distribution: deterministic}
    replicas: [{node: n0}]
router: {profile: uncached, liveness: none}
workload:
  - {kind: burst, model: m, requests: 4, at: 1s}
  - {kind: burst, model: m, requests: 1, at: 1100ms}
"""


@pytest.mark.parametrize(
    ("health", "mean", "removed_alive"),
    [
        ("serialized", "1s", 1),
        ("event_loop", "1s", 0),
        ("event_loop", "3s", 1),
        ("independent", "3s", 0),
    ],
)
def test_a_probe_of_2_s_behind_a_queue_costs_an_event_loop_its_row_only_if_one_call_outlasts_it(
    health: HealthName, mean: str, removed_alive: int
) -> None:
    scenario = loads(BUSY.replace("HEALTH", health).replace("MEAN", mean))

    assert run(scenario).metrics["rows.removed_alive"] == removed_alive
