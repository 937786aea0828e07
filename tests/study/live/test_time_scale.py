"""What is said of a time scale at which the machine's own latencies drown what the scenario is about."""

import pytest

from sim import loads
from sim.study.live.time_scale import least_time_scale, too_small, was_too_small
from sim.study.run import run
from tests.calibrations import made_up

SECOND_LONG = """
name: two
duration: 20s
nodes: [{name: a}]
models: [{name: m, service: {mean: 1s}, replicas: [{node: a}]}]
workload: [{kind: uniform, model: m, rate: 1/s}]
"""
BY_TOKENS = SECOND_LONG.replace("mean: 1s", "prefill: 100/s, decode: 100/s").replace(
    "rate: 1/s", "rate: 1/s, prompt_tokens: 9, output_tokens: 9"
)
MEASURED = made_up(touch=1_000_000, pick=3_000_000, round_trip=800_000)
"""Routing takes 3 ms for a pick, 3 times 1 ms for other transactions and twice 0.8 ms for calls: 7.6 ms."""


@pytest.mark.parametrize(("text", "least"), [(SECOND_LONG, 0.038), (BY_TOKENS, 0.019)], ids=["service", "probe limit"])
def test_routing_may_take_a_fifth_of_the_shortest_time_of_the_scenario(text: str, least: float) -> None:
    scenario = loads(text).variants["default"]

    assert least_time_scale(scenario, 7.6e6) == pytest.approx(least)
    assert too_small(scenario, MEASURED, least + 0.001) is None


def test_a_time_scale_that_is_too_small_is_said_with_what_would_do() -> None:
    said = too_small(loads(SECOND_LONG).variants["default"], MEASURED, 0.01)

    assert said is not None
    assert "0.01 is too small for this machine, on which routing a request takes 0.76 s" in said
    assert said.endswith("better here: 0.038 or more")


@pytest.mark.parametrize(("latency", "is_said"), [("1ms", False), ("120ms", True)])
def test_without_a_calibration_the_quickest_routes_of_the_run_tell(latency: str, is_said: bool) -> None:
    file = loads(SECOND_LONG + f"registry: {{transaction: {latency}}}")
    as_if_live = run(file, seed=1)

    said = was_too_small(file.variants["default"], as_if_live, 0.1)

    # A pick and a touch of 120 ms and a check of 2 ms, in the second that a request takes.
    assert said is None if not is_said else said is not None and said.endswith("better here: 0.121 or more")
