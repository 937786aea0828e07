"""Where replicas go and how many there are, as a scenario says it."""

import pytest

from sim import loads
from sim.measure.result import RunResult
from sim.study.run import run

LABELLED = """
duration: 2m
nodes:
  - {name: plain}
  - {name: big, labels: {gpu: gb10}}
  - {name: bigger, labels: {gpu: gb10}}
models:
  - name: m
    backend: {load_time: 5s}
    service: {mean: 500ms}
    scheduling: {selector: {gpu: gb10}SCHEDULING}
    replicas: [REPLICAS]
control_plane: {}
workload: [{kind: poisson, model: m, rate: 1/s}]
"""


def result_of(text: str, variant: str = "default") -> RunResult:
    return run(loads(f"name: test\n{text}"), variant)


def labelled(replicas: str, scheduling: str = "", router: str = "") -> RunResult:
    return result_of(router + LABELLED.replace("REPLICAS", replicas).replace("SCHEDULING", scheduling))


def served_by(result: RunResult) -> set[str]:
    return set(result.requests["replica"].dropna().astype(str))


def test_a_replica_outside_the_selector_serves_nothing_even_when_it_is_idle() -> None:
    result = labelled("{node: plain}, {node: big}")

    assert served_by(result) == {"big#0"}
    assert result.metrics["requests.completed"] == result.metrics["requests.offered"]


@pytest.mark.parametrize(("selector", "loaded"), [("after_pick", ["bigger#0"]), ("in_pick", [])])
def test_a_pick_that_ignores_the_selector_has_the_model_loaded_though_a_replica_could_serve(
    selector: str, loaded: list[str]
) -> None:
    router = f"router: {{profile: hardened, selector: {selector}}}\n"
    result = labelled("{node: plain}, {node: big}", router=router)

    assert result.events.query("kind == 'load_started'")["replica"].tolist()[:1] == loaded
    assert "plain#0" not in served_by(result)
    assert result.metrics["in_flight.final"] == 0


def test_what_is_loaded_goes_to_a_node_of_the_selector() -> None:
    result = labelled("{node: plain}")

    published = result.events[result.events["cause"] == "cold_load"]
    assert published["replica"].tolist() == ["big#0"]


def test_a_model_that_is_spread_gets_a_replica_on_every_node_of_its_selector() -> None:
    result = labelled("{node: big}", ", spread: true")

    scaled = result.events[result.events["kind"] == "scaled"]
    assert scaled[["scaled_by", "cause"]].values.tolist() == [[1, "below_minimum"]]
    assert served_by(result) == {"big#0", "bigger#0"}


def test_a_model_without_a_selector_stays_off_its_conflicts_only_where_that_is_repaired() -> None:
    text = """
duration: 30s
nodes: [{name: a}, {name: b}]
models:
  - {name: loud, service: {mean: 1s}, replicas: [{node: a}]}
  - {name: calm, service: {mean: 1s}, replicas: [{node: b}]}
  - {name: quiet, service: {mean: 1s}, backend: {load_time: 1s}, scheduling: {conflicts: [loud]}}
workload: [{kind: burst, model: quiet, at: 1s, requests: 1}, {kind: closed, model: calm, users: 1}]
variants:
  lenient: {router: {control: {placement: lenient}}}
  strict: {router: {control: {placement: strict}}}
"""

    placed = {
        variant: set(result_of(text, variant).events.query("cause == 'cold_load'")["replica"].astype(str))
        for variant in ("lenient", "strict")
    }

    # The node of the conflicting model is the less busy one.
    assert placed == {"lenient": {"quiet@a#0"}, "strict": {"quiet@b#0"}}


def test_a_node_without_room_on_its_disk_is_passed_over() -> None:
    text = """
duration: 30s
router: {control: {disk: headroom}}
nodes: [{name: full, disk: 10GB, vram: 100GB}, {name: roomy, disk: 100GB, vram: 50GB}]
models:
  - {name: m, disk: 20GB, service: {mean: 1s}, backend: {load_time: 1s}}
workload: [{kind: burst, model: m, at: 1s, requests: 1}]
"""

    result = result_of(text)

    assert served_by(result) == {"roomy#0"}


def test_without_any_room_on_disk_the_request_fails_by_name() -> None:
    text = """
duration: 30s
router: {control: {disk: headroom}}
nodes: [{name: full, disk: 10GB}]
models:
  - {name: m, disk: 20GB, service: {mean: 1s}}
workload: [{kind: burst, model: m, at: 1s, requests: 1}]
"""

    result = result_of(text)

    assert result.requests[["outcome", "cause"]].values.tolist() == [["failed", "NoReplica"]]


def test_replicas_come_with_load_and_go_when_it_is_over() -> None:
    text = """
duration: 20m
nodes: [{name: a}, {name: b}, {name: c}]
models:
  - name: m
    backend: {load_time: 10s, health: independent}
    service: {mean: 10s, distribution: deterministic}
    scheduling: {min: 1, max: 3}
    replicas: [{node: a}]
control_plane: {}
workload: [{kind: burst, model: m, at: 10s, requests: 30}]
router: {profile: hardened}
"""

    result = result_of(text)
    scaled = result.events[result.events["kind"] == "scaled"]

    assert scaled[["scaled_by", "cause"]].values.tolist() == [[1, "busy"], [-1, "idle"]]
    assert result.metrics["requests.completed"] == 30
    assert result.events[result.events["kind"] == "process_ended"]["cause"].tolist() == ["stopped"]


@pytest.mark.parametrize("loops", ["", "control_plane: {}"], ids=["reported at once", "reported by heartbeats"])
def test_what_loaded_models_hold_of_a_nodes_vram_is_not_free(loops: str) -> None:
    # By its own size the first node has more VRAM; what is left of it is less.
    result = result_of(f"""
duration: 30s
nodes: [{{name: larger, vram: 100GB}}, {{name: emptier, vram: 90GB}}]
models:
  - {{name: large, vram: 80GB, service: {{mean: 1s}}, replicas: [{{node: larger}}]}}
  - {{name: small, vram: 1GB, service: {{mean: 1s}}, replicas: [{{node: emptier}}]}}
  - {{name: new, vram: 5GB, service: {{mean: 1s}}}}
workload: [{{kind: burst, model: new, at: 20s, requests: 1}}]
{loops}
""")

    loaded = result.events[result.events["kind"] == "install_started"]
    assert loaded["replica"].tolist() == ["new@emptier#0"]


@pytest.mark.parametrize(
    ("faults", "added"), [("", 1), ("faults: [{kind: load_failure, model: m, at: 0s}]", 0)], ids=["loaded", "failed"]
)
def test_replicas_added_are_those_that_were_loaded_however_often_the_reconciler_decided(
    faults: str, added: int
) -> None:
    text = f"""
duration: 5m
nodes: [{{name: a}}, {{name: b}}]
models:
  - name: m
    backend: {{load_time: 5s, health: independent}}
    service: {{mean: 1s}}
    scheduling: {{min: 2}}
    replicas: [{{node: a}}]
control_plane: {{}}
workload: [{{kind: uniform, model: m, rate: 1/m}}]
{faults}
"""

    result = result_of(text)

    decisions = (result.events["kind"] == "scaled").sum()
    assert decisions == 1 if added else decisions > 1
    assert result.metrics["scaling.ups"] == added
