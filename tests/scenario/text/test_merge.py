"""Variants over the base, profiles under both, and overrides on top of all."""

import pytest

from sim import loads
from sim.scenario import ScenarioError
from tests.scenario.good_scenario import good_but

S = 1_000_000_000
EVERY_PART = """
name: cache_pinning
about: The model scales out to a second node at 60 s; a sticky client never uses it.
seed: 1
duration: 3m
warmup: 0s
nodes:
  - {name: dgx-spark1, vram: 128GB, slots: 1, speed: 1.0}
  - {name: nvidia-thor1, vram: 128GB, slots: 1, speed: 0.67}
models:
  - name: qwen3
    backend: {engine: fifo, workers: 1, health: serialized, load_time: 20s}
    service: {mean: 1s, distribution: exponential}
    replicas: [{node: dgx-spark1}, {node: nvidia-thor1, ready_at: 60s}]
frontends: 1
registry: {transaction: 2ms}
network: {latency: 1ms}
router:
  profile: fixed
  policy: best_replica
  client_cache: per_request
  probe: {ttl: 30s, timeout: 2s, sharing: detached}
  pick: read_committed
workload:
  - {kind: poisson, model: qwen3, rate: 1.2/s}
  - {kind: burst, model: qwen3, at: 90s, requests: 8, spread: 0s}
variants:
  pinned: {router: {profile: pinned}}
  fixed: {}
expect:
  - {variant: fixed, metric: fairness.jain, min: 0.95, after: 70s}
  - {variant: pinned, metric: fairness.busiest_share, min: 0.99}
  - {metric: latency.p99_s, variant: fixed, below: pinned}
"""
PROFILES = {
    "pinned": ("sticky", 0, "unshared", "remove_row", "probes", "read_committed"),
    "uncached": ("per_request", 0, "unshared", "remove_row", "probes", "read_committed"),
    "fixed": ("per_request", 30_000_000_000, "detached", "remove_row", "probes", "read_committed"),
    "head": ("per_request", 30_000_000_000, "leader_owned", "remove_row", "probes", "read_committed"),
    "hardened": ("per_request", 30_000_000_000, "detached", "keep_row", "calls", "locked"),
}
MISPLACED_OVERRIDES = {
    "router.probe.tl=5s": "--set router.probe.tl: found an unknown key; allowed: ttl, timeout, sharing, "
    "on_timeout, refresh; did you mean 'ttl'?",
    "duration=30": "--set duration: 30 has no unit; write 30s, 500ms or 5m",
    "warmup=2m": "--set warmup: found 2m; allowed: less than the duration, 1m",
    "nodes.2.speed=1": "--set nodes.2.speed: found 2 for a list of 2; allowed: an index from 0",
    "nodes.a.speed=1": "--set nodes.a.speed: found 'a' for a list of 2; allowed: an index from 0",
    "name.x=1": "--set name.x: leads into 'good'; allowed: a key of a mapping or an index of a list",
    "models.0.replicas.0.node=spork": "--set models.0.replicas.0.node: 'spork' is not a node; allowed: spark, thor; "
    "did you mean 'spark'?",
    "seed": "--set: found 'seed'; allowed: KEY=VALUE, such as router.probe.ttl=5s",
    "=1": "--set: found '=1'; allowed: KEY=VALUE, such as router.probe.ttl=5s",
    "router..ttl=1": "--set: found 'router..ttl=1'; allowed: KEY=VALUE, such as router.probe.ttl=5s",
    ".".join("a" * 5000) + "=1": "--set: found a key of 5,000 steps; allowed: 20",
    "nodes=[]": "--set: found the value '[]'; allowed: one plain value, no list or mapping",
    "variants.a.seed=1": "--set: found 'variants.a.seed'; allowed: a key of the scenario itself, which changes in "
    "every variant that --variant chooses",
    "sede=1": "--set sede: found an unknown key; allowed: name, about, seed, duration, warmup, drain_limit, tie_order, "
    "nodes, models, frontends, registry, network and 7 more (see sim schema); did you mean 'seed'?",
}


@pytest.mark.parametrize(("profile", "expected"), PROFILES.items())
def test_a_profile_fills_in_what_the_router_does_not_say(profile: str, expected: tuple[object, ...]) -> None:
    router = loads(good_but(f"router: {{profile: {profile}}}")).variants["default"].router
    probe = router.probe

    assert expected == (
        router.client_cache,
        probe.ttl_ns,
        probe.sharing,
        probe.on_timeout,
        probe.refresh,
        router.pick,
    )
    policy = "prefix_cache" if profile == "head" else "best_replica"
    assert (router.policy.name, probe.timeout_ns) == (policy, 2_000_000_000)


def test_a_file_without_a_router_uses_the_profile_fixed() -> None:
    scenario = loads(good_but()).variants["default"]

    assert scenario == loads(good_but("router: {profile: fixed}")).variants["default"]


def test_a_written_key_wins_over_the_profile_named_beside_it() -> None:
    base = "router: {profile: fixed, probe: {ttl: 5s}}"
    text = good_but(base, "variants: {a: {}, b: {router: {profile: hardened, probe: {ttl: 7s}}}}")

    probes = [scenario.router.probe for scenario in loads(text).variants.values()]

    assert [(probe.ttl_ns, probe.on_timeout) for probe in probes] == [(5 * S, "remove_row"), (7 * S, "keep_row")]


def test_a_variant_that_names_a_profile_starts_from_it_whatever_the_base_wrote() -> None:
    base = "router: {profile: fixed, client_cache: per_request, pick: locked, probe: {ttl: 5s, sharing: leader_owned}}"
    text = good_but(base, "variants: {pinned: {router: {profile: pinned, pick: serial}}}")

    router = loads(text).variants["pinned"].router

    assert router == loads(good_but("router: {profile: pinned, pick: serial}")).variants["default"].router


def test_a_variant_that_names_no_profile_changes_single_keys_of_the_base() -> None:
    base = "router: {profile: hardened, probe: {ttl: 5s}}"
    text = good_but(base, "variants: {a: {router: {probe: {timeout: 1s}}}}")

    router = loads(text).variants["a"].router

    assert (router.profile, router.probe.ttl_ns, router.probe.timeout_ns) == ("hardened", 5 * S, S)


def test_overrides_apply_to_a_variant_that_names_a_profile() -> None:
    text = good_but("router: {probe: {ttl: 5s}}", "variants: {pinned: {router: {profile: pinned}}}")

    router = loads(text, ["router.client_cache=per_request"]).variants["pinned"].router

    assert (router.client_cache, router.probe.ttl_ns) == ("per_request", 0)


def test_a_base_router_that_every_variant_replaces_is_checked_all_the_same() -> None:
    text = good_but("router: {probe: {tll: 5s}}", "variants: {pinned: {router: {profile: pinned}}}")

    with pytest.raises(ScenarioError, match=r"^<text>:6:18: router\.probe\.tll: found an unknown key; .*mean 'ttl'\?$"):
        loads(text)


def test_a_scenario_with_every_part_loads_with_its_variants() -> None:
    file = loads(EVERY_PART)

    pinned, fixed = file.variants["pinned"].router, file.variants["fixed"].router
    assert (pinned.client_cache, pinned.probe.ttl_ns, pinned.probe.sharing) == ("sticky", 0, "unshared")
    assert (fixed.client_cache, fixed.probe.ttl_ns, fixed.probe.sharing) == ("per_request", 30 * S, "detached")
    assert len(file.expect) == 3


def test_mappings_of_a_variant_merge_and_its_lists_replace() -> None:
    text = good_but(
        "network: {latency: 5ms}",
        "router: {probe: {ttl: 5s, timeout: 1s}}",
        "variants: {one: {router: {probe: {ttl: 9s}}, nodes: [{name: spark}]}}",
    )

    scenario = loads(text).variants["one"]

    assert (scenario.router.probe.ttl_ns, scenario.router.probe.timeout_ns) == (9_000_000_000, 1_000_000_000)
    assert [node.name for node in scenario.nodes] == ["spark"]
    assert scenario.network.latency_ns == 5_000_000


def test_variants_come_in_the_order_of_the_file() -> None:
    file = loads(good_but("variants: {z: {}, a: {seed: 2}, m: {}}"))

    assert [(name, scenario.seed) for name, scenario in file.variants.items()] == [("z", 0), ("a", 2), ("m", 0)]


def test_a_file_without_variants_has_one_named_default() -> None:
    file = loads(good_but())

    assert list(file.variants) == ["default"]


def test_a_fault_that_a_variant_brings_is_reported_where_the_variant_writes_it() -> None:
    text = good_but("warmup: 5s", "variants:\n  a: {}\n  b:\n    models: [{name: qwen3, service: {mean: 1}}]")

    with pytest.raises(ScenarioError) as refusal:
        loads(text)

    assert str(refusal.value) == (
        "<text>:10:44: variants.b.models[0].service.mean: 1 has no unit; write 30s, 500ms or 5m"
    )


def test_a_fault_of_the_base_is_reported_in_the_base_though_a_variant_changes_its_neighbour() -> None:
    text = good_but("router: {probe: {ttl: 5}}", "variants: {a: {router: {probe: {timeout: 1s}}}}")

    with pytest.raises(ScenarioError, match=r"^<text>:6:23: router\.probe\.ttl: 5 has no unit"):
        loads(text)


def test_a_policy_that_is_written_as_a_name_can_be_given_keys_of_its_own() -> None:
    text = good_but(
        "router: {policy: power_of_d}", "variants: {a: {}, b: {router: {policy: {name: power_of_d, d: 2}}}}"
    )

    file = loads(text, ["router.policy.d=3"])

    assert [one.router.policy.parameters for one in file.variants.values()] == [{"d": 3}, {"d": 3}]


def test_overrides_apply_to_every_variant_after_everything_else() -> None:
    text = good_but("variants: {a: {seed: 1}, b: {router: {probe: {ttl: 9s}}}}")
    sets = ["seed=7", "router.probe.ttl=5s", "nodes.1.speed=0.5", "nodes.1.speed=0.25", "about=a = b"]

    variants = loads(text, sets).variants

    assert [
        (one.seed, one.router.probe.ttl_ns, one.nodes[1].speed, one.about, one.nodes[0].speed)
        for one in variants.values()
    ] == [(7, 5_000_000_000, 0.25, "a = b", 1.0)] * 2


@pytest.mark.parametrize(("override", "message"), MISPLACED_OVERRIDES.items())
def test_an_override_that_does_not_fit_is_refused_under_its_own_name(override: str, message: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        loads(good_but(), [override])

    assert str(refusal.value) == message
