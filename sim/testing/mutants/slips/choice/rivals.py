"""Slips in the policies that remember, weigh or look at prompts, and in what a policy is told of its picks."""

import math
from collections.abc import Collection, Iterable, Sequence

from sim.routing.outcomes import Outcome
from sim.routing.policies.feedback import _WORDS, Feedback
from sim.routing.policies.picker import Picker, PickerChoice, request_view
from sim.routing.policies.port import ReplicaView, RequestView
from sim.routing.policies.prefix.choice import Thresholds
from sim.routing.policies.prefix.index import PrefixIndex
from sim.routing.policies.prefix.memory import PrefixMemory
from sim.routing.policies.prefix.prefix_cache import PrefixCache
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.policies.standard.join_idle_queue import JoinIdleQueue
from sim.routing.policies.standard.least_in_flight import least_loaded
from sim.routing.policies.standard.outlier_ejection import OutlierEjection
from sim.routing.policies.standard.peak_ewma import PeakCost
from sim.routing.policies.standard.power_of_d import PowerOfD
from sim.routing.policies.standard.prequal import Prequal
from sim.routing.policies.standard.shortest_expected_delay import ShortestExpectedDelay
from sim.routing.policies.standard.zone_aware import ZoneAware
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.routing.units import NS_PER_S
from sim.scenario import NodeSpec, Scenario
from sim.testing.mutants.mutant import Mutant, in_place_of

_STANDARD = "sim.routing.policies.standard"
_PREFIX = "sim.routing.policies.prefix"


@in_place_of(f"{_STANDARD}.power_of_d:PowerOfD._without_replacement", "policies_by_hand")
def one_replica_is_drawn(self: PowerOfD, places: range) -> list[int]:
    """A single replica is drawn, so there is nothing to compare: `d - 1` for `d`."""
    return self._random.sample(places, min(self._d - 1, len(places)))


@in_place_of(f"{_STANDARD}.power_of_d:PowerOfD._without_replacement", "policies_by_hand")
def one_replica_is_drawn_twice(self: PowerOfD, places: range) -> list[int]:
    """The same replica may be drawn more than once."""
    return self._random.choices(places, k=self._d)


@in_place_of(f"{_STANDARD}.zone_aware:ZoneAware.pick", "turns_by_hand")
def zone_is_left_too_early(
    self: ZoneAware, replicas: Sequence[ReplicaView], request: RequestView
) -> ReplicaView | None:
    """The zone is left at the excess that is still allowed: `<` for `<=`."""
    everywhere = least_loaded(replicas)
    here = least_loaded(self._keys.local(replicas, self._frontend))
    stays = here and here[0].in_flight < everywhere[0].in_flight + self._keys.max_excess
    return self._break_tie(here if stays else everywhere)


@in_place_of(f"{_STANDARD}.outlier_ejection:OutlierEjection._ejected", "ejection_by_hand")
def last_ejected_stays_out(self: OutlierEjection, replicas: Sequence[ReplicaView], model: str) -> list[str]:
    """Where not all may be out, the ones ejected last are: a sign is wrong."""
    now_ns = self._clock.now_ns()
    away = [one for one in replicas if self._record(model, one).back_ns > now_ns]
    away.sort(key=lambda one: -self._record(model, one).ejected_ns)
    return [one.id for one in away[: int(self._keys.max_ejected * len(replicas))]]


@in_place_of(f"{_STANDARD}.join_idle_queue:JoinIdleQueue.pick", "policies_by_hand")
def busy_queue_is_joined(
    self: JoinIdleQueue, replicas: Sequence[ReplicaView], request: RequestView
) -> ReplicaView | None:
    """A busy replica is preferred to an idle one: `!=` for `==`."""
    busy = [replica for replica in replicas if replica.in_flight != 0]
    return self._break_tie(busy or replicas)


@in_place_of(f"{_STANDARD}.shortest_expected_delay:ShortestExpectedDelay._delay", "policies_by_hand")
def request_itself_is_not_counted(self: ShortestExpectedDelay, replica: ReplicaView) -> float:
    """The expected delay leaves out the request that is to be sent."""
    return replica.in_flight / self._weight_of(replica)


@in_place_of("sim.scenario.spec.schema:Scenario.capacities_of", "policies_by_hand")
def all_nodes_announce_the_same_capacity(self: Scenario, node: NodeSpec) -> dict[str, float]:
    """However fast a node is, it announces the capacity of a node of speed 1."""
    return dict.fromkeys((model.name for model in self.models), 1.0)


@in_place_of(f"{_STANDARD}.peak_ewma:PeakCost.load", "policies_by_hand")
def cost_ignores_the_load(self: PeakCost, in_flight: int) -> float:
    """A busy replica costs no more than an idle one."""
    self.observe(0)
    return self._cost_ns


@in_place_of(f"{_STANDARD}.prequal:Prequal.ended", "policies_by_hand")
def failures_teach_latency(
    self: Prequal, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int
) -> None:
    """A request that was cut short counts as a quick one."""
    self._estimate(request.model, replica).learn(replica.in_flight, duration_ns)


@in_place_of(f"{_PREFIX}.choice:Thresholds.admits", "prompts_by_hand")
def factor_is_ignored(self: Thresholds, in_flight: int, least_in_flight: int) -> bool:
    """A preferred replica may be any multiple as busy as the least loaded."""
    return in_flight <= least_in_flight + self.max_excess


@in_place_of(f"{_PREFIX}.choice:Thresholds.admits", "prompts_by_hand")
def excess_is_ignored(self: Thresholds, in_flight: int, least_in_flight: int) -> bool:
    """A preferred replica may have any number of requests more than the least loaded."""
    return in_flight <= least_in_flight * self.max_factor + 1


@in_place_of(f"{_STANDARD}.power_of_d:PowerOfD._with_replacement", "policies_by_hand")
def one_draw_is_enough(self: PowerOfD, places: range) -> list[int]:
    """Where a replica may be drawn more than once, one is drawn and counts for all draws."""
    return self._random.choices(places, k=1) * int(self._d)


@in_place_of(f"{_STANDARD}.weighted_least_request:weight_share", "weights_by_hand")
def least_weight_is_ignored(age_ns: int, window_ns: int, aggression: float, least: float) -> float:
    """A new replica may weigh less than it should at least."""
    return 1.0 if age_ns >= window_ns else math.pow(max(age_ns, NS_PER_S) / window_ns, 1 / aggression)


@in_place_of(f"{_PREFIX}.index:PrefixIndex.cold_order", "reloaded_by_hand")
def equal_memories_go_by_row(self: PrefixIndex, candidates: Iterable[ReplicaKey]) -> list[ReplicaKey]:
    """Replicas that have been given equally little come in the order of their rows, not of their names."""
    self._forget_expired()
    return sorted(candidates, key=lambda key: self._sums[key])


@in_place_of(f"{_PREFIX}.memory:PrefixMemory.index", "reloaded_by_hand")
def new_row_stays_new(self: PrefixMemory, model: str, rows: Iterable[tuple[ReplicaKey, str]]) -> PrefixIndex:
    """A replica with a new row is forgotten with each pick, not once."""
    index = self._index_of(model)
    for key, row_id in rows if self._forgets else ():
        if self._rows.setdefault(key, row_id) != row_id:
            index.forget(key)
    return index


@in_place_of(f"{_PREFIX}.index:PrefixIndex.forget", "prompts_by_hand", "prefix_entries_outlive_replica")
def new_row_keeps_its_prompts(self: PrefixIndex, replica: ReplicaKey) -> None:
    """What a replica was given is remembered beyond its row."""


@in_place_of(f"{_PREFIX}.index:PrefixIndex._forget_expired", "prompts_by_hand")
def prompts_never_expire(self: PrefixIndex) -> None:
    """Blocks are remembered for good."""


@in_place_of(f"{_PREFIX}.prefix_cache:PrefixCache.sent", "prompts_by_hand")
def depth_is_ignored(self: PrefixCache, replica: ReplicaView, request: RequestView) -> None:
    """All blocks of a prompt are remembered, however few of them should count."""
    self._memory.sent(replica, request)


@in_place_of(f"{_PREFIX}.pressure:Pressure.record", "pressure_by_hand")
def disturbed_request_is_not_counted(self: Pressure, model: str) -> None:
    """A request that is kept from the replica that knows its prompt leaves no trace."""


@in_place_of(f"{_PREFIX}.pressure:Pressure.reset", "pressure_by_hand")
def pressure_is_not_reset(self: Pressure, model: str) -> None:
    """The requests for which a replica was added count for the next one as well."""


pressure_needs_two = Mutant(
    "pressure_needs_two",
    "sim.routing.control_plane.replica_pass:PRESSURE_THRESHOLD",
    "A model gets one more replica only for two disturbed requests.",
    2,
    ("pressure_by_hand",),
)


_FEEDBACK = "sim.routing.policies.feedback"

failed_is_completed = Mutant(
    "failed_is_completed",
    f"{_FEEDBACK}:_WORDS",
    "A policy hears of a failed request that it was completed.",
    {**_WORDS, Outcome.FAILED: "completed"},
    ("probes_by_hand",),
)


@in_place_of(f"{_FEEDBACK}:Feedback.retried", "probes_by_hand")
def retried_call_is_not_told(self: Feedback, request: Request, key: ReplicaKey, cause: str) -> None:
    """A policy does not hear of a failed call that is made again elsewhere."""


@in_place_of(f"{_FEEDBACK}:Feedback.left", "ejection_by_hand")
def left_client_is_not_told(self: Feedback, request: Request) -> None:
    """A policy does not hear of a client that has left."""


@in_place_of("sim.routing.policies.picker:Picker.choice", "selector_blind_pick")
def policy_sees_every_node(self: Picker, request: Request, nodes: Collection[str]) -> PickerChoice:
    """A policy is shown the replicas on all nodes, whatever labels the model asks for."""
    return PickerChoice(self, request_view(request), ())


@in_place_of("sim.routing.policies.feedback:Feedback._end", "latencies_by_hand")
def duration_runs_from_the_arrival(self: Feedback, request: Request, outcome: Outcome) -> None:
    """What a request waited for before it was sent counts as the replica's time."""
    self._picked.pop(request.id, None)
    sent = self._sent.pop(request.id, None)
    if sent is not None:
        duration_ns = self._clock.now_ns() - request.arrival_ns
        self._listener.ended(sent.replica, request_view(request), _WORDS[outcome], duration_ns)
