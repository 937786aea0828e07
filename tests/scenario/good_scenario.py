"""A small good scenario, and ways to change single parts of it. The sign § marks a place and is no part of a key."""

GOOD = {
    "name": "name: good",
    "duration": "duration: 1m",
    "nodes": "nodes: [{name: spark, vram: 24GB}, {name: thor}]",
    "models": "models: [{name: qwen3, service: {mean: 1s}, replicas: [{node: spark}]}]",
    "workload": "workload: [{kind: poisson, model: qwen3, rate: 1/s}]",
}


def good_but(*lines: str) -> str:
    """Return the good scenario with top-level lines replaced by others of the same key, or added at the end."""
    changed = GOOD | {line.replace("§", "").split(":")[0]: line for line in lines}
    return "\n".join(changed.values()) + "\n"


def model(keys: str) -> str:
    return good_but("models: [{name: qwen3, service: {mean: 1s}, " + keys + "}]")


def service(keys: str) -> str:
    return good_but("models: [{name: qwen3, service: " + keys + "}]")


def workload(keys: str) -> str:
    return good_but("workload: [{model: qwen3, " + keys + "}]")


def node(keys: str) -> str:
    return good_but("nodes: [{name: spark, " + keys + "}]")


def fault(keys: str) -> str:
    return good_but("frontends: 2", "faults: [{" + keys + "}]")


def expect(keys: str) -> str:
    return good_but("variants: {pinned: {}, fixed: {}}", "expect: [{" + keys + "}]")


def expect_of_two_models(keys: str) -> str:
    models = "models: [{name: qwen/2.5, service: {mean: 1s}}, {name: llama3, service: {mean: 1s}}]"
    return good_but(models, "workload: [{kind: poisson, model: llama3, rate: 1/s}]", "expect: [{" + keys + "}]")
