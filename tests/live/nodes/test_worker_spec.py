"""What a worker process is told: the service times of the scenario, in plain values that are quickly read."""

import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.live.nodes.from_scenario import worker_spec
from sim.live.nodes.worker_spec import WorkerSpec
from sim.scenario import ModelSpec, NodeSpec, service_law

SERVICES: dict[str, dict[str, Any]] = {
    "drawn": {"mean": "1s"},
    "by rate": {"prefill": "3782.76/s", "decode": "84.1/s"},
    "by profile": {"profile": "gemma-3-4b"},
}
HOUR_NS = 3600 * 10**9


@pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)
@given(
    speed=st.sampled_from([1.0, 0.3, 7.0]),
    prompt_tokens=st.integers(0, 10**6),
    output_tokens=st.integers(0, 10**6),
    demand_ns=st.integers(0, HOUR_NS),
)
def test_a_worker_takes_as_long_as_a_simulated_one_but_for_a_nanosecond_of_rounding(
    service: dict[str, Any], speed: float, prompt_tokens: int, output_tokens: int, demand_ns: int
) -> None:
    node = NodeSpec(name="n", speed=speed, hardware="thor")
    model = ModelSpec.model_validate({"name": "m", "service": service})

    told = WorkerSpec.from_line(worker_spec(node, model).to_line())

    work = (prompt_tokens, output_tokens, demand_ns)
    assert told.service_ns(*work) == pytest.approx(service_law(model.service, node)(*work), rel=0, abs=1)


def test_a_worker_process_starts_without_the_schema_of_scenarios() -> None:
    listing = "import sys, sim.live.nodes.worker_process\nprint(*sys.modules)"

    loaded = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True).stdout.split()

    assert {"sim.live.nodes.worker_service"} < set(loaded)
    assert {"pydantic", "numpy", "yaml", "sim.scenario"} & set(loaded) == set()
