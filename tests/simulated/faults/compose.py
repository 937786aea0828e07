"""Runs with two faults at once, and what must hold in them: `python -m tests.simulated.faults.compose` tries all pairs.

The tests try one pair of kinds for each pair of families, another one for each base seed.
"""

import os
from collections.abc import Iterator
from itertools import combinations, combinations_with_replacement

from sim import loads
from sim.measure.result import RunResult
from sim.scenario import FAULT_KINDS, stream
from sim.study.run import run
from tests.scenario.spec.fault_cases import KEYS
from tests.simulated.faults.invariants import Ledger

BASE_SEED = int(os.environ.get("SIM_TEST_BASE_SEED", "0"))

KINDS = [kind for family in FAULT_KINDS.values() for kind in family]

WORLD = """
name: composed
duration: 40s
drain_limit: 120s
nodes:
  - {name: spark, slots: 2}
  - {name: thor, slots: 2}
  - {name: orin, slots: 2}
models:
  - name: qwen3
    backend: {load_time: 3s, install_time: 1s}
    service: {mean: 400ms}
    scheduling: {min: 2, max: 4}
    replicas: [{node: spark}, {node: spark}, {node: thor}]
  - name: gemma
    backend: {load_time: 3s, install_time: 1s, health: independent}
    service: {mean: 200ms}
    scheduling: {min: 1}
    replicas: [{node: thor}]
frontends: 2
control_plane:
  heartbeat: 2s
  health_monitor: {tick: 3s, stale_after: 10s}
  reconciler: {tick: 6s, stale_row_after: 10s}
workload:
  - {kind: poisson, model: qwen3, rate: 4/s}
  - {kind: poisson, model: gemma, rate: 2/s}
  - {kind: burst, model: qwen3, at: 6s, requests: 12}
variants:
  fixed: {}
  hardened: {router: {profile: hardened}}
"""


def composed(kinds: tuple[str, ...], variant: str) -> tuple[RunResult, list[str]]:
    """Run the world with one fault of each kind, with the keys it needs and no others; return what it broke too."""
    ledger = Ledger()
    faults = "".join(f"  - {{kind: {kind}, {KEYS[kind][0]}}}\n" for kind in kinds).replace(", }", "}")
    result = run(loads(f"{WORLD}faults:\n{faults}"), variant, observers=[ledger])
    return result, ledger.finish(offered=len(result.records.requests))


def pairs_of_families() -> Iterator[tuple[str, str]]:
    """Yield two kinds for each pair of families, drawn anew for each base seed."""
    for one, other in combinations_with_replacement(FAULT_KINDS, 2):
        draw = stream(BASE_SEED, "composition", f"{one} {other}", "kinds")
        yield tuple(str(draw.choice(list(FAULT_KINDS[family]))) for family in (one, other))  # type: ignore[misc]


def main() -> None:
    """Try every pair of kinds under every variant, and tell of each that breaks something."""
    tried = 0
    for pair in combinations(KINDS, 2):
        for variant in ("fixed", "hardened"):
            tried += 1
            try:
                _, broken = composed(pair, variant)
            except Exception as error:
                broken = [f"{type(error).__name__}: {error}"]
            for what in broken:
                print(f"{pair[0]} and {pair[1]}, {variant}: {what}")
    print(f"{tried} runs tried")


if __name__ == "__main__":
    main()
