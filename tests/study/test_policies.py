"""Policies of one's own in simulated runs: their faults show, their draws repeat, their mistakes end the run."""

import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sim import loads
from sim.measure.result import RunResult
from sim.routing.policies import best_replica
from sim.routing.policies.port import PolicyError
from sim.scenario import ScenarioFile
from sim.study.results import run_all
from sim.study.run import run
from tests.study.three import THREE

PICKERS = Path(__file__).parents[1] / "pickers.py"
HERD = """
name: herd
duration: 10s
nodes: [{name: n0}, {name: n1}, {name: n2}, {name: n3}]
models:
  - name: qwen3
    service: {mean: 1s}
    replicas: [{node: n0}, {node: n1}, {node: n2}, {node: n3}]
workload: [{kind: burst, model: qwen3, at: 1s, requests: 16}]
"""


def with_policy(text: str, policy: object) -> ScenarioFile:
    """Return the scenario, routed by the policy alone."""
    return loads(f"{text}\nrouter: {{policy: mine}}\n", policies={"mine": policy})


def from_file(name: str, text: str = THREE) -> ScenarioFile:
    return loads(f"{text}\nrouter: {{policy: './pickers.py:{name}'}}\n", folder=PICKERS.parent, allow_code=True)


def shares(result: RunResult) -> list[float]:
    return [result.metrics.get(f"replicas.{node}#0.share", 0) for node in ("n0", "n1", "n2")]


def test_a_policy_that_is_handed_over_is_run_if_no_variant_is_named() -> None:
    file = loads(f"{THREE}\nvariants: {{pinned: {{router: {{profile: pinned}}}}, fixed: {{}}}}")

    result = run(file, policies={"mine": lambda replicas: replicas[0]})

    assert (result.variant, shares(result)) == ("mine", [1, 0, 0])


def test_policies_run_beside_the_variants_of_the_file_in_any_process() -> None:
    results = run_all(loads(THREE), seeds=range(2), policies={"mine": best_replica.pick_best_replica}, jobs=2)

    digests = {key: results[key].digest for key in (("default", 1), ("mine", 1))}
    assert digests["default", 1] == digests["mine", 1]


def test_a_policy_that_cannot_go_to_another_process_says_so() -> None:
    with pytest.raises(PolicyError, match=r"mine cannot be sent to another process: .* or one process for all runs"):
        run_all(loads(THREE), seeds=range(2), policies={"mine": lambda replicas: replicas[0]}, jobs=2)


def test_a_policy_that_is_typed_at_a_prompt_is_told_apart_from_a_killed_worker() -> None:
    typed = f"""
from sim import loads, run_all

def mine(replicas):
    return replicas[0]

run_all(loads({THREE!r}), seeds=range(2), policies={{"mine": mine}}, jobs=2)
"""
    done = subprocess.run([sys.executable, "-c", typed], capture_output=True, text=True, timeout=120, check=False)

    assert "cannot be sent to another process: it is defined in a notebook or at a prompt" in done.stderr


def test_a_policy_that_always_takes_the_first_row_sends_everything_there() -> None:
    assert shares(run(from_file("first_row"))) == [1, 0, 0]


def test_a_round_robin_that_forgets_replicas_added_later_leaves_them_idle() -> None:
    result = run(from_file("ForgetfulRoundRobin"))

    assert shares(result) == [pytest.approx(0.5, abs=0.01), pytest.approx(0.5, abs=0.01), 0]
    assert result.metrics["fairness.jain"] == pytest.approx(2 / 3, abs=0.01)


def test_a_power_of_two_choices_uses_all_of_them() -> None:
    result = run(from_file("PowerOfTwo"))

    assert result.metrics["fairness.jain"] > 0.9


def test_a_policy_that_draws_has_one_digest_a_seed() -> None:
    file = from_file("PowerOfTwo")

    assert run(file, seed=1).digest == run(file, seed=1).digest != run(file, seed=2).digest


def test_every_policy_gets_the_same_requests() -> None:
    columns = ["request", "frontend", "arrival_s", "demand_s"]
    one, other = run(from_file("first_row")), run(from_file("PowerOfTwo"))

    assert one.requests[columns].equals(other.requests[columns])


def test_best_replica_as_a_policy_of_ones_own_decides_as_the_built_in_one() -> None:
    theirs, ours = run(loads(THREE)), run(with_policy(THREE, best_replica.pick_best_replica))

    assert ours.digest == theirs.digest


def test_a_mutant_of_the_best_replica_changes_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    before = run(loads(THREE))

    first = staticmethod(lambda replicas: next(iter(replicas), None))
    monkeypatch.setattr(best_replica.ChooseBest, "__call__", first)

    assert (shares(run(loads(THREE))), shares(before)[0] < 0.5) == ([1, 0, 0], True)


def test_a_policy_that_takes_no_replica_leaves_the_request_to_a_cold_load() -> None:
    result = run(with_policy(THREE, lambda replicas: replicas[0] if len(replicas) > 2 else None))

    assert result.metrics["loads.started"] > 0


class Heard:
    """Notes all that a policy is told."""

    def __init__(self) -> None:
        self.sent_to: dict[int, Any] = {}
        self.outcomes: Counter[str] = Counter()
        self.durations_ns: list[int] = []

    def pick(self, replicas: Any) -> Any:
        return replicas[0] if replicas else None

    def sent(self, replica: Any, request: Any) -> None:
        self.sent_to[request.id] = replica

    def ended(self, replica: Any, request: Any, outcome: str, duration_ns: int) -> None:
        assert self.sent_to.pop(request.id) == replica
        self.outcomes[outcome] += 1
        self.durations_ns.append(duration_ns)


def test_a_policy_is_told_of_each_request_that_follows_its_pick_and_of_its_end() -> None:
    heard = Heard()

    result = run(with_policy(THREE, heard))

    assert heard.sent_to == {}
    assert heard.outcomes == {"completed": result.metrics["requests.completed"]}
    assert min(heard.durations_ns) > 0


def test_a_policy_is_told_of_clients_that_leave_and_of_calls_that_fail() -> None:
    heard = Heard()
    impatient = HERD.replace("requests: 16", "requests: 16, every: 5s, patience: 3s")
    crash = "faults: [{kind: node_crash, node: n0, at: 4500ms}]"

    result = run(with_policy(f"{impatient}\n{crash}", heard))

    assert heard.sent_to == {}
    assert heard.outcomes["cancelled"] == result.metrics["requests.cancelled"] > 0
    assert heard.outcomes["completed"] == result.metrics["requests.completed"] > 0
    assert heard.outcomes["failed"] == result.metrics["requests.failed"] > 0


def test_a_request_that_reuses_a_kept_route_was_not_sent_by_the_policy() -> None:
    heard = Heard()

    run(loads(f"{THREE}\nrouter: {{profile: pinned, policy: mine}}\n", policies={"mine": heard}))

    assert sum(heard.outcomes.values()) == 2, "one route for each frontend"


def test_a_mistake_in_a_policy_ends_the_run_and_says_where() -> None:
    with pytest.raises(PolicyError) as caught:
        run(from_file("beyond"))

    text = str(caught.value)
    assert text.startswith(
        "<text>:13:18: router.policy: ./pickers.py:beyond raised IndexError: tuple index out of range ("
    )
    assert text.endswith("for request 0 of qwen3")


def test_a_mistake_in_what_a_policy_does_with_news_ends_the_run_too() -> None:
    class Deaf(Heard):
        def sent(self, replica: Any, request: Any) -> None:
            raise KeyError(replica.node)

    with pytest.raises(PolicyError, match=r"router.policy: mine raised KeyError: 'n0' \(.* of sent for request 0"):
        run(with_policy(THREE, Deaf()))


def test_a_mistake_in_what_a_policy_does_with_a_client_that_leaves_ends_the_run_too() -> None:
    class Sorry(Heard):
        def ended(self, replica: Any, request: Any, outcome: str, duration_ns: int) -> None:
            if outcome == "cancelled":
                raise KeyError(outcome)

    with pytest.raises(PolicyError, match=r"raised KeyError: 'cancelled' \(.* of ended for request"):
        run(with_policy(HERD.replace("requests: 16", "requests: 16, patience: 3s"), Sorry()))


def test_one_frontend_may_ask_another_policy() -> None:
    fault = "faults: [{kind: mixed_policy, frontend: 1, router: {policy: './pickers.py:first_row'}}]"

    result = run(loads(f"{THREE}\n{fault}", folder=PICKERS.parent, allow_code=True))

    requests = result.requests
    replicas = [set(requests["replica"][requests["frontend"] == frontend]) for frontend in (0, 1)]
    assert [len(used) for used in replicas] == [3, 1]


def test_one_frontend_may_pick_in_a_mode_of_its_own() -> None:
    fault = "faults: [{kind: mixed_policy, frontend: 0, router: {pick: locked}}]"

    herding, spread = run(loads(HERD)), run(loads(f"{HERD}\n{fault}"))

    assert herding.metrics["burst.max_over_ideal"] > spread.metrics["burst.max_over_ideal"] == 1


def test_a_policy_of_ones_own_herds_as_the_pick_mode_has_it() -> None:
    def least(replicas: Any) -> Any:
        return min(replicas, key=lambda replica: replica.in_flight)

    over_ideal = {
        pick: run(loads(f"{HERD}\nrouter: {{policy: mine, pick: {pick}}}", policies={"mine": least})).metrics[
            "burst.max_over_ideal"
        ]
        for pick in ("read_committed", "locked", "serial")
    }

    assert over_ideal["read_committed"] > over_ideal["locked"] == 1
    # In serial mode picks happen at one instant, one after the other.
    assert over_ideal["serial"] == 1
