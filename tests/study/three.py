"""A scenario in which each policy shows itself: two frontends, and a third replica that comes later."""

THREE = """
name: three
duration: 30s
nodes: [{name: n0}, {name: n1}, {name: n2}]
models:
  - name: qwen3
    backend: {workers: 4}
    service: {mean: 100ms}
    replicas: [{node: n0}, {node: n1}, {node: n2, ready_at: 5s}]
frontends: 2
workload: [{kind: poisson, model: qwen3, rate: 10/s}]
"""
