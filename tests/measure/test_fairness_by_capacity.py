"""Fairness by capacity: a node that is twice as fast should serve twice as much."""

import pytest

from sim.routing.replica import ReplicaKey
from sim.scenario import NodeSpec
from sim.scenario.spec.service import ServiceSpec, relative_speed
from tests.measure.hand_made import figures, served

FAST, SLOW = (ReplicaKey(node, "q", 0) for node in ("fast", "slow"))
SPEEDS = {"fast": 2.0}
"""The other node has the speed of 1 that a node has unless something is said."""

# id: (requests on the fast node, on the slow one, expected Jain's index of the requests, and by capacity)
SPLITS: dict[str, tuple[int, int, float, float]] = {
    "by capacity": (20, 10, 0.9, 1.0),
    "even": (15, 15, 1.0, 0.9),
    "all on the fast one": (30, 0, 0.5, 0.5),
    "by capacity the wrong way round": (10, 20, 0.9, (5 + 20) ** 2 / (2 * (5**2 + 20**2))),
}


@pytest.mark.parametrize(("fast", "slow", "jain", "by_capacity"), SPLITS.values(), ids=SPLITS)
def test_a_split_is_as_fair_as_its_requests_over_the_speeds(
    fast: int, slow: int, jain: float, by_capacity: float
) -> None:
    metrics = figures(served([FAST] * fast + [SLOW] * slow, ready=[FAST, SLOW]), "q", speeds=SPEEDS)

    assert metrics["fairness.jain"] == pytest.approx(jain)
    assert metrics["fairness.capacity_jain"] == pytest.approx(by_capacity)


def test_the_other_indices_by_capacity_are_of_the_same_figures() -> None:
    # 20 and 10 requests on equal nodes are what 40 and 10 are on these.
    metrics = figures(served([FAST] * 40 + [SLOW] * 10, ready=[FAST, SLOW]), "q", speeds=SPEEDS)
    equal = figures(served([FAST] * 20 + [SLOW] * 10, ready=[FAST, SLOW]), "q")

    for name in ("jain", "max_over_mean", "cv", "gini", "entropy", "busiest_share"):
        assert metrics[f"fairness.capacity_{name}"] == pytest.approx(equal[f"fairness.{name}"])


def test_without_a_completed_request_there_is_none() -> None:
    metrics = figures(served([], ready=[FAST, SLOW]), "q", speeds=SPEEDS)

    assert not [name for name in metrics if name.startswith("fairness.")]


@pytest.mark.parametrize(
    ("service", "speed"), [({"profile": "gpt-oss-20b"}, 0.67), ({"mean": "1s"}, 1.0)], ids=["by profile", "drawn"]
)
def test_hardware_counts_as_speed_where_the_service_depends_on_it(service: dict[str, str], speed: float) -> None:
    spec = ServiceSpec.model_validate(service)

    assert relative_speed(spec, NodeSpec(name="thor-1", hardware="thor")) == pytest.approx(speed)
    assert relative_speed(spec, NodeSpec(name="spark-1", hardware="gb10", speed=2.0)) == 2.0
