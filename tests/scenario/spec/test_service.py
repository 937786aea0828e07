"""Service times: drawn demands and token rates, on nodes of different speed."""

import pytest

from sim.scenario import NodeSpec, Scenario, ServiceSpec, service_law
from sim.scenario.spec.distribution import Law

BY_RATES = {"prefill": "1000/s", "decode": "50/s"}
BY_PROFILE = {"profile": "gpt-oss-20b"}
TIMES = {
    "drawn": ({"mean": "1s"}, {}, (0, 0, 3_000_000_000), (0, 3_000_000_000)),
    "drawn, on a slower node": ({"mean": "1s"}, {"speed": 0.5}, (0, 0, 3_000_000_000), (0, 6_000_000_000)),
    "drawn, whatever the tokens": ({"mean": "1s"}, {}, (9, 9, 7), (0, 7)),
    "by rates": (BY_RATES, {}, (500, 100, 0), (500_000_000, 2_000_000_000)),
    "by rates, on a faster node": (BY_RATES, {"speed": 2.0}, (500, 100, 0), (250_000_000, 1_000_000_000)),
    "by rates, rounded to whole ns": (BY_RATES, {"speed": 3.0}, (1, 1, 0), (333_333, 6_666_667)),
    "no tokens": (BY_RATES, {}, (0, 0, 0), (0, 0)),
    "profile on GB10": (BY_PROFILE, {"hardware": "gb10"}, (378_276, 8410, 0), (100_000_000_000, 100_000_000_000)),
    "profile on Thor": (BY_PROFILE, {"hardware": "thor"}, (378_276, 8410, 0), (212_765_957_447, 149_253_731_343)),
}


@pytest.mark.parametrize(("service", "node", "request_", "expected_ns"), TIMES.values(), ids=TIMES)
def test_a_request_takes_its_demand_or_its_tokens_over_the_rates_of_the_node(
    service: dict[str, object], node: dict[str, object], request_: tuple[int, int, int], expected_ns: tuple[int, int]
) -> None:
    spec, machine = ServiceSpec.model_validate(service), NodeSpec.model_validate({"name": "n", **node})

    assert service_law(spec, machine)(*request_) == expected_ns


@pytest.mark.parametrize(("service", "expected"), [({"mean": "1s"}, False), (BY_RATES, True), (BY_PROFILE, True)])
def test_only_service_by_tokens_has_a_prefill(service: dict[str, object], expected: bool) -> None:
    assert ServiceSpec.model_validate(service).has_prefill is expected


@pytest.mark.parametrize("written", [{"mean": "1s"}, {"mean": "1s", "distribution": None}], ids=["left out", "null"])
def test_the_law_of_a_mean_is_exponential_unless_another_is_written(written: dict[str, object]) -> None:
    assert ServiceSpec.model_validate(written).law == Law("exponential")


def test_a_null_mean_brings_no_law_with_it() -> None:
    assert ServiceSpec.model_validate({"mean": None, **BY_RATES}) == ServiceSpec.model_validate(BY_RATES)


def test_a_node_announces_how_fast_it_serves_each_model() -> None:
    models = (("drawn", {"mean": "1s"}), ("by rates", BY_RATES), ("by profile", BY_PROFILE))
    thor = {"name": "thor", "speed": 2.0, "hardware": "thor"}
    scenario = Scenario.model_validate(
        {
            "name": "announced",
            "duration": "1s",
            "nodes": (thor,),
            "models": tuple({"name": name.replace(" ", "-"), "service": service} for name, service in models),
            "workload": (),
        }
    )

    announced = scenario.capacities_of(scenario.nodes[0])

    # Its hardware counts only where it decides on the rates of tokens: 0.67 of those that count as 1.
    assert announced == {"drawn": 2.0, "by-rates": 2.0, "by-profile": pytest.approx(1.34)}


def test_a_profile_on_a_node_of_unknown_hardware_is_refused() -> None:
    service, node = ServiceSpec.model_validate(BY_PROFILE), NodeSpec(name="n")

    with pytest.raises(ValueError, match="node n needs a hardware for service profile gpt-oss-20b"):
        service_law(service, node)
