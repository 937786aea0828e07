"""Stories of requests, checked by hand against what the scenario and the router's rules say."""

import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from sim import explain, load, loads, run
from sim.measure.story.queues import Queues
from sim.measure.story.request_story import RequestStory
from sim.routing.policies.port import ReplicaView, RequestView
from sim.routing.request_path.probe_cache import ProbeCache

# cache_pinning: the second of two requests 100 ms apart, after the scale-out. A transaction takes 2 ms, a call 1 ms
# each way; request 13 counts twice on dgx-spark1 while it runs, once for its pick and once for its call.
TO_THE_NEW_REPLICA = """
cache_pinning, fixed, seed 1: request 14 of qwen3, completed on nvidia-thor1#0, 449.4 ms after its arrival
       t (s)     since
   65.100000            arrives at frontend 0, sent by the workload burst
   65.100000            best_replica takes nvidia-thor1#0: it has the fewest requests in flight
                           replica         in flight    last used (s)  free VRAM (GB)  capacity
                           dgx-spark1#0      2 (2nd)  65.008000 (2nd)       96 (1st=)         1
                        >  nvidia-thor1#0    0 (1st)  60.000000 (1st)       96 (1st=)      0.67
   65.102000     +2 ms  the registry reserves nvidia-thor1#0, which is to be probed
   65.104000     +2 ms  its probe to nvidia-thor1#0 answers after 2 ms
   65.104000            the replica is taken for alive
   65.106000     +2 ms  takes the lock 'frontend'
   65.108000     +2 ms  its liveness check of nvidia-thor1#0 answers after 2 ms
   65.108000            gives the lock 'frontend' back
   65.108000            is sent to nvidia-thor1#0, where no request is
   65.111000     +3 ms  its service begins
   65.544408 +433.4 ms  its service ends
   65.549408     +5 ms  completed
"""

# The same request, where the frontend keeps the client of its first request.
TO_THE_KEPT_CLIENT = """
cache_pinning, pinned, seed 1: request 14 of qwen3, completed on dgx-spark1#0, 774.3 ms after its arrival
       t (s)     since
   65.100000            arrives at frontend 0, sent by the workload burst
   65.100000            is sent to dgx-spark1#0 without a pick: the frontend has a client for it already, behind \
request 13
   65.580886 +480.9 ms  its service begins
   65.871270 +290.4 ms  its service ends
   65.874270     +3 ms  completed
"""

# probe_stall: the probe waits behind request 10 for its 2 s, the row is deleted, and the model loaded once more.
THROUGH_A_COLD_LOAD = """
probe_stall, uncached, seed 1: request 11 of qwen3, completed on dgx-spark1#0, 27.66 s after its arrival
       t (s)     since
  103.000000            arrives at frontend 0, sent by the workload burst
  103.000000            best_replica takes dgx-spark1#0: there is no other
                           replica       in flight     last used (s)  free VRAM (GB)
                        >  dgx-spark1#0    4 (1st)  102.059331 (1st)        96 (1st)
  103.002000     +2 ms  the registry reserves dgx-spark1#0, which is to be probed
  105.002000      +2 s  its probe to dgx-spark1#0 gives no answer within 2 s, though its process is alive and serves \
request 10
  105.002000            the replica is taken for dead
  105.004000     +2 ms  the row of dgx-spark1#0 is deleted, though its process is alive and serves request 10: the \
probe of a request said that it is dead (probe_failed)
  105.006000     +2 ms  best_replica is shown no replica
  105.013000     +7 ms  meanwhile, a process is asked for as dgx-spark1#0, which runs already
  105.015000     +2 ms  meanwhile, dgx-spark1#0 begins to load the model, though it holds the model
  128.648892  +23.63 s  meanwhile, dgx-spark1#0 has loaded it
  128.650892     +2 ms  meanwhile, dgx-spark1#0 has a row: a request without a replica had it loaded (cold_load)
  128.650892            takes the lock 'frontend'
  128.652892     +2 ms  its liveness check of dgx-spark1#0 answers after 2 ms
  128.652892            gives the lock 'frontend' back
  128.652892            is sent to dgx-spark1#0, which was loaded for it, where no request is
  128.655892     +3 ms  its service begins
  130.654996  +1.999 s  its service ends
  130.659996     +5 ms  completed
"""

# probe_stall with the fix: the answer holds, but the check of request 3 holds the lock until the process answers it.
BEHIND_A_LOCK = """
probe_stall, fixed, seed 1: request 4 of qwen3, completed on dgx-spark1#0, 5.226 s after its arrival
       t (s)     since
   13.000000            arrives at frontend 0, sent by the workload burst
   13.000000            best_replica takes dgx-spark1#0: there is no other
                           replica       in flight    last used (s)  free VRAM (GB)
                        >  dgx-spark1#0    4 (1st)  10.012000 (1st)        96 (1st)
   13.004000     +4 ms  the registry reserves dgx-spark1#0, which has answered lately
   14.915613  +1.912 s  takes the lock 'frontend', which request 3 had meanwhile
   14.915613            takes the lock 'frontend', which requests 5, 6, 7 had meanwhile
   14.917613     +2 ms  its liveness check of dgx-spark1#0 answers after 2 ms
   14.917613            gives the lock 'frontend' back
   14.917613            is sent to dgx-spark1#0, behind request 3
   16.985369  +2.068 s  its service begins
   18.220521  +1.235 s  its service ends
   18.225521     +5 ms  completed
"""

STORIES = {
    "to the new replica": ("cache_pinning", "fixed", 14, TO_THE_NEW_REPLICA),
    "to the kept client": ("cache_pinning", "pinned", 14, TO_THE_KEPT_CLIENT),
    "through a cold load": ("probe_stall", "uncached", 11, THROUGH_A_COLD_LOAD),
    "behind a lock": ("probe_stall", "fixed", 4, BEHIND_A_LOCK),
}


def told(scenario: str, variant: str, request: int) -> str:
    return repr(explain(run(f"scenarios/{scenario}.yaml", variant), request=request))


@pytest.mark.parametrize(("scenario", "variant", "request_id", "story"), STORIES.values(), ids=STORIES)
def test_a_story_reads_as_it_was_worked_out_by_hand(scenario: str, variant: str, request_id: int, story: str) -> None:
    assert told(scenario, variant, request_id) == story.strip("\n")


def test_a_router_that_forgets_its_probes_has_another_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ProbeCache, "remembered", lambda _self, _key: None)

    assert told("probe_stall", "fixed", 4) != BEHIND_A_LOCK.strip("\n")


def test_a_witness_that_loses_sight_of_the_queues_has_another_story(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Queues, "routed", lambda _self, _request, _key: None)

    assert told("cache_pinning", "pinned", 14) != TO_THE_KEPT_CLIENT.strip("\n")


FLEET = """
name: fleet
duration: 5s
nodes: [{name: a}, {name: b}, {name: c}]
models: [{name: m, backend: {health: independent}, service: {mean: 1s}, replicas: [{node: a}, {node: b}, {node: c}]}]
workload: [{kind: poisson, model: m, rate: 6/s}]
"""


def candidates(story: RequestStory) -> list[tuple[str, int, int, int]]:
    """Return what the story shows of its first decision: node, requests in flight, last use and free VRAM."""
    decision = next(step.decision for step in story.steps if step.decision is not None)
    return [
        (one.replica.split("#")[0], one.in_flight, one.last_used_ns, one.available_vram_bytes) for one in decision.seen
    ]


def test_the_candidates_of_a_policy_are_those_that_it_was_shown() -> None:
    shown: dict[int, list[tuple[str, int, int, int]]] = {}

    def last_of_the_alphabet(replicas: Sequence[ReplicaView], request: RequestView) -> ReplicaView:
        shown[request.id] = [(one.node, one.in_flight, one.last_used_ns, one.available_vram_bytes) for one in replicas]
        return max(replicas, key=lambda one: one.node)

    result = run(loads(FLEET), policies={"mine": last_of_the_alphabet})
    first = dict(shown)
    stories = [explain(result, request=request) for request in (0, len(first) // 2, len(first) - 1)]

    assert [candidates(story) for story in stories] == [first[story.request] for story in stories]
    assert "mine takes c#0 by its own rule; it ranks " in repr(stories[-1])


def test_a_tie_that_is_broken_at_random_is_told_so() -> None:
    at_random = FLEET + "router: {policy: {name: best_replica, ties: random}}\n"

    assert "it is the one that the policy's rule for ties took" in repr(explain(run(loads(at_random)), request=0))


PROGRAM = """
#!{python}
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    print(json.dumps({{"index": len(asked["candidates"]) - 1}}), flush=True)
"""


def test_a_program_as_a_policy_is_explained_alike(tmp_path: Path) -> None:
    program = tmp_path / "last"
    program.write_text(PROGRAM.lstrip().format(python=sys.executable))
    program.chmod(0o755)
    (tmp_path / "fleet.yaml").write_text(FLEET + "router: {policy: 'exec:./last'}\n")

    story = explain(run(load(tmp_path / "fleet.yaml", allow_code=True)), request=3)

    assert [one[0] for one in candidates(story)] == ["a", "b", "c"]
    assert "exec:./last takes c#0 by its own rule" in repr(story)


def test_a_request_for_which_a_replica_is_loaded_tells_so() -> None:
    nothing_loaded = FLEET.replace("replicas: [{node: a}, {node: b}, {node: c}]", "replicas: []")

    told = repr(explain(run(loads(nothing_loaded)), request=0))

    assert "best_replica is shown no replica" in told
    assert "is sent to a#0, which was loaded for it, where no request is" in told


def test_the_story_of_a_client_that_left_says_how_long_it_stayed() -> None:
    impatient = FLEET.replace("rate: 6/s", "rate: 6/s, patience: 500ms") + "network: {latency: 1s}\n"

    story = explain(run(loads(impatient)), request=0)

    assert story.outcome == "cancelled"
    assert "probed" in [step.what for step in story.steps if step.t_ns > story.steps[0].t_ns + story.took_ns]
    assert story.took_ns == 500_000_000


def test_a_request_that_joins_a_probe_tells_whose_it_is() -> None:
    at_once = FLEET.replace("kind: poisson, model: m, rate: 6/s", "kind: burst, model: m, at: 1s, requests: 6")

    result = run(loads(at_once))
    stories = [explain(result, request=request) for request in range(6)]

    probers = {
        step.facts["replica"]: story.request for story in stories for step in story.steps if step.what == "probed"
    }
    joined = [
        (story.replica, step.facts["probe_of"]) for story in stories for step in story.steps if "probe_of" in step.facts
    ]
    assert joined
    assert all(probers[replica] == prober for replica, prober in joined)


def test_a_request_of_a_fault_tells_which_fault_sent_it() -> None:
    burst = FLEET + "faults: [{kind: client_burst, at: 1ms, requests: 1, model: m}]\n"

    assert "arrives at frontend 0, sent by the fault client_burst" in repr(explain(run(loads(burst)), request=0))
