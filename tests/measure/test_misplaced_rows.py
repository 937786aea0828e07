"""Rows of replicas on nodes that their model's selector excludes."""

from sim import loads, run

TEXT = """
name: misplaced
duration: 10s
nodes:
  - {name: big, slots: 2, labels: {size: big, zone: a}}
  - {name: small, labels: {size: small}}
models:
  - name: picky
    service: {mean: 100ms}
    scheduling: {selector: {size: big}}
    replicas: [{node: big}, {node: small}]
  - {name: easy, service: {mean: 100ms}, replicas: [{node: small}]}
workload:
  - {kind: uniform, model: picky, rate: 1/s}
"""


def misplaced(text: str) -> float:
    return run(loads(text)).metrics["rows.misplaced"]


def test_a_replica_on_a_node_without_the_label_is_misplaced() -> None:
    assert misplaced(TEXT) == 1


def test_a_node_must_have_every_label_of_the_selector() -> None:
    both_big = TEXT.replace("size: small", "size: big")

    assert misplaced(both_big) == 0
    assert misplaced(both_big.replace("selector: {size: big}", "selector: {size: big, zone: a}")) == 1


def test_no_replica_of_a_model_without_a_selector_is_misplaced() -> None:
    assert misplaced(TEXT.replace("    scheduling: {selector: {size: big}}\n", "")) == 0
