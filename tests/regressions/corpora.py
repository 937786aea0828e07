"""A corpus of two regressions that takes no time to check: one that a policy decides, and one that probes decide."""

from pathlib import Path

_FLEET = """
seed: 1
duration: 1m
nodes: [{name: a}, {name: b}]
models:
  - name: qwen3
    backend: {health: independent}
    service: {mean: 100ms}
    replicas: [{node: a}, {node: b}]
workload: [{kind: poisson, model: qwen3, rate: 2/s}]
"""
ONE_NODE_TAKES_ALL = f"""
name: one_node_takes_all
about: A sticky client sends everything to the first node.
{_FLEET}
variants: {{sticky: {{router: {{profile: pinned}}}}, routed: {{}}}}
expect:
  - {{variant: sticky, metric: fairness.busiest_share, min: 0.95, shows: bug}}
  - {{variant: routed, metric: fairness.busiest_share, max: 0.75}}
  - {{variant: routed, metric: requests.failed, equals: 0}}
  - {{variant: routed, metric: latency.mean_s, below: sticky}}
regression:
  symptom: One node takes all requests.
  metric: fairness.busiest_share
  broken: sticky
  repaired: routed
  source: LocalAI pull request 9968
  decided_by: policy
  check_in: routed
"""
PROBES_EACH_REQUEST = f"""
name: probes_each_request
about: Without a cache, each request probes.
{_FLEET}
variants: {{uncached: {{router: {{profile: uncached}}}}, cached: {{}}}}
expect:
  - {{variant: uncached, metric: probes.sent, min: 50, shows: bug}}
  - {{variant: cached, metric: probes.sent, max: 20}}
regression:
  symptom: Each request waits for a probe.
  metric: probes.sent
  broken: uncached
  repaired: cached
  source: LocalAI pull request 9968
  decided_by: probes
"""


def small_corpus(folder: Path) -> Path:
    """Write both files and return the folder."""
    (folder / "one_node_takes_all.yaml").write_text(ONE_NODE_TAKES_ALL, encoding="utf-8")
    (folder / "probes_each_request.yaml").write_text(PROBES_EACH_REQUEST, encoding="utf-8")
    return folder
