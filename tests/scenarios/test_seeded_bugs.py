"""The expectations can fail: for each of them there is a wrong router, or a world without the fault, that it refuses.

A seeded bug is a list of `--set` overrides. They apply to every variant, so that a bug takes from a variant just what
makes it differ.
"""

from functools import cache

import pytest

from sim import judge
from tests.forms import mostly_short
from tests.scenarios.shipped import NAMES, results, scenario_file, sentences

PINS_ALWAYS = ("router.client_cache=sticky",)
PINS_NEVER = ("router.client_cache=per_request",)
HERDS = ("router.pick=read_committed",)
LOCKS = ("router.pick=locked",)
PROBES_EACH_TIME = ("router.probe.ttl=0s", "router.probe.sharing=unshared")
SHARES_PROBES = ("router.probe.ttl=30s", "router.probe.sharing=detached")
LEADER_OWNS = ("router.probe.sharing=leader_owned", "router.cancellation=propagated")
BUSY_IS_DEAD = ("router.probe.on_timeout=remove_row",)
ONLY_PROBES_COUNT = ("router.probe.refresh=probes",)
CALLS_COUNT = ("router.probe.refresh=calls",)
HEALTH_NEVER_WAITS = ("models.0.backend.health=independent",)
REAPS_BUSY_ROWS = ("router.control.monitor=every_miss", "router.control.reaper=first_miss")
LOADS_INLINE = ("router.control.loads=inline",)
LOADS_IN_JOBS = ("router.control.loads=job",)
UNLOADS_SOMETHING = ("router.control.release=unload",)
NOBODY_RECONCILES = ("control_plane.reconciler=null",)
CHECKS_COARSELY = ("router.liveness=coarse_lock",)
CHECKS_NOTHING = ("router.liveness=none",)
UNLOADS_THE_MODEL = ("router.failure_domain=model",)
LOSES_ONE_REPLICA = ("router.failure_domain=replica",)
LEAVES_COUNTS = ("router.cancellation=detached", "router.reservation=first_call")
CANCELS = ("router.cancellation=propagated",)
ALL_REPAIRED = (
    *(CHECKS_NOTHING + LOSES_ONE_REPLICA + CANCELS + LOCKS + CALLS_COUNT),
    *("router.probe.on_timeout=keep_row", "router.probe.sharing=detached", "router.probe.ttl=30s"),
    *("router.reservation=request_scope", "router.client_cache=per_request", "frontends=1"),
)
ENDS_AT_ONCE = ("drain_limit=1ms",)

SEEDED_BUGS: dict[str, dict[str, tuple[str, ...]]] = {
    "cache_pinning": {
        "pins always": PINS_ALWAYS,
        "pins never": PINS_NEVER,
        "the pair comes late": ("workload.1.at=65.06s",),
    },
    "probe_stall": {
        "probes each time": PROBES_EACH_TIME,
        "health never waits": HEALTH_NEVER_WAITS,
        "probes each time, and busy is dead": PROBES_EACH_TIME + BUSY_IS_DEAD + ONLY_PROBES_COUNT,
    },
    "ttl_sawtooth": {
        "only probes count": ONLY_PROBES_COUNT,
        "busy is dead": BUSY_IS_DEAD,
        "busy is dead and only probes count": BUSY_IS_DEAD + ONLY_PROBES_COUNT,
        "checks nothing": CHECKS_NOTHING,
        "all are repaired": ALL_REPAIRED,
    },
    "burst_herd": {
        "pins always": PINS_ALWAYS,
        "herds": HERDS,
        "locks and pins never": LOCKS + PINS_NEVER,
    },
    "leader_leaves": {
        "leader owns": LEADER_OWNS,
        "the leader is patient": ("workload.1.patience=10s",),
        "all share a probe that the leader owns": PINS_NEVER + SHARES_PROBES + LEADER_OWNS,
        "leaves counts": LEAVES_COUNTS,
    },
    "loader_check": {
        "checks nothing": CHECKS_NOTHING,
        "checks coarsely": CHECKS_COARSELY,
        "busy is dead": BUSY_IS_DEAD,
        "ends at once": ENDS_AT_ONCE,
    },
    "blast_radius": {
        "loses one replica": LOSES_ONE_REPLICA,
        "unloads the model": UNLOADS_THE_MODEL,
        "the exit meets no request": ("faults.0.at=299.9s", "workload.0.rate=1/m"),
        "ends at once": ENDS_AT_ONCE,
    },
    "azure_conversation": {
        "pins always": PINS_ALWAYS,
        "pins never": PINS_NEVER,
        "probes each time": PROBES_EACH_TIME,
        "busy is dead and only probes count": BUSY_IS_DEAD + ONLY_PROBES_COUNT,
        "health never waits": HEALTH_NEVER_WAITS,
        "a part of the trace": ("workload.0.limit=1000",),
    },
    "node_crash": {
        "the crash comes too late": ("faults.0.at=290s",),
        "nobody reconciles": NOBODY_RECONCILES,
        "ends at once": ENDS_AT_ONCE,
        "only probes count, and for too long": (*ONLY_PROBES_COUNT, "router.probe.ttl=10m"),
        "all are repaired": ALL_REPAIRED,
    },
    "busy_reaped": {
        "health never waits": HEALTH_NEVER_WAITS,
        "reaps busy rows": REAPS_BUSY_ROWS,
        "ends at once": ENDS_AT_ONCE,
    },
    "long_load": {
        "loads inline": LOADS_INLINE,
        "loads in jobs": LOADS_IN_JOBS,
        "cancels": CANCELS,
        "loses one replica": LOSES_ONE_REPLICA,
    },
    "idle_unload": {
        "unloads something": UNLOADS_SOMETHING,
        "nobody reconciles": NOBODY_RECONCILES,
    },
    "rotating_cache": {
        "all show a snapshot": ("router.replica_list.refresh=5s", "router.replica_list.counts=snapshot"),
        "all take turns": ("router.replica_list.refresh=5s", "router.replica_list.counts=rotate"),
        "all read too often": ("router.replica_list.refresh=1s", "router.replica_list.counts=own_in_flight"),
        "ends at once": ENDS_AT_ONCE,
    },
}
CAUGHT_BY = [
    ("leader_leaves", "leaves counts", "hardened in_flight.final <= 0"),
    ("loader_check", "checks coarsely", "hardened route.p99_s <= 0.1"),
    ("blast_radius", "unloads the model", "hardened rows.removed <= 1"),
    ("blast_radius", "loses one replica", "fixed rows.removed >= 2"),
    ("cache_pinning", "pins always", "fixed fairness.jain >= 0.95 after 1m"),
    ("cache_pinning", "pins always", "fixed replicas.nvidia-thor1#0.requests >= 1 and <= 1 after 65.05s before 66s"),
    ("cache_pinning", "pins never", "pinned fairness.busiest_share >= 1 after 1m"),
    ("probe_stall", "probes each time", "fixed rows.removed_alive <= 0"),
    ("probe_stall", "probes each time", "fixed probes.sent <= 7"),
    ("ttl_sawtooth", "busy is dead", "keep_row rows.removed_alive <= 0"),
    ("ttl_sawtooth", "only probes count", "calls_refresh rows.removed_alive <= 0"),
    ("ttl_sawtooth", "busy is dead and only probes count", "hardened rows.removed_alive <= 0"),
    ("burst_herd", "herds", "locked burst.max_over_ideal <= 1.5"),
    ("burst_herd", "herds", "hardened burst.max_over_ideal <= 1.5"),
    ("leader_leaves", "leader owns", "detached rows.removed_alive <= 0"),
    ("leader_leaves", "leader owns", "hardened rows.removed_alive <= 0"),
    ("node_crash", "nobody reconciles", "every variant scaling.below_min_s >= 20 and <= 180"),
    ("node_crash", "only probes count, and for too long", "hardened requests.failed <= 6"),
    ("busy_reaped", "reaps busy rows", "hardened rows.removed_alive <= 0"),
    ("long_load", "loads inline", "hardened loads.started >= 1 and <= 1"),
    ("idle_unload", "unloads something", "hardened requests.failed <= 0"),
    ("rotating_cache", "all show a snapshot", "own_in_flight fairness.longest_streak <= 8"),
    ("rotating_cache", "all take turns", "snapshot fairness.longest_streak >= 15"),
]


# These take a while for each bug; `azure_conversation`, with an hour of real traffic, two minutes for all of its.
LONG = ("azure_conversation", "loader_check", "long_load", "rotating_cache", "ttl_sawtooth")


@pytest.mark.parametrize(
    ("name", "bug", "sentence"),
    [pytest.param(*caught, marks=pytest.mark.long if caught[0] in LONG else ()) for caught in CAUGHT_BY],
)
def test_a_router_that_lacks_a_repair_is_caught_by_the_expectation_about_it(name: str, bug: str, sentence: str) -> None:
    assert sentence in broken_by(name, bug)


@pytest.mark.slow
@pytest.mark.parametrize("name", mostly_short(NAMES, LONG))
def test_every_expectation_is_broken_by_some_seeded_bug(name: str) -> None:
    never_broken = dict(sentences(scenario_file(name)))
    for bug in SEEDED_BUGS[name]:
        for sentence in broken_by(name, bug):
            never_broken.pop(sentence, None)

    assert list(never_broken) == []


@cache
def broken_by(name: str, bug: str) -> tuple[str, ...]:
    """Return the sentences of the expectations that the scenario with the bug in it breaks."""
    sets = SEEDED_BUGS[name][bug]
    runs = results(name, *sets)
    return tuple(
        sentence
        for sentence, expectation in sentences(scenario_file(name, *sets))
        if any(verdict.passed is False for verdict in judge((expectation,), runs))
    )
