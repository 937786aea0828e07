"""The built-in policies by name. A new one is a file in a folder beside this one, and a line here."""

from collections.abc import Mapping
from typing import Final

POLICIES: Final[Mapping[str, str]] = {
    "best_replica": "sim.routing.policies.best_replica:BestReplica",
    "in_flight_then_vram": "sim.routing.policies.standard.in_flight_then_vram:InFlightThenVram",
    "random": "sim.routing.policies.standard.at_random:AtRandom",
    "round_robin": "sim.routing.policies.standard.round_robin:RoundRobin",
    "least_in_flight": "sim.routing.policies.standard.least_in_flight:LeastInFlight",
    "power_of_d": "sim.routing.policies.standard.power_of_d:PowerOfD",
    "join_idle_queue": "sim.routing.policies.standard.join_idle_queue:JoinIdleQueue",
    "shortest_expected_delay": "sim.routing.policies.standard.shortest_expected_delay:ShortestExpectedDelay",
    "weighted_least_request": "sim.routing.policies.standard.weighted_least_request:WeightedLeastRequest",
    "peak_ewma": "sim.routing.policies.standard.peak_ewma:PeakEwma",
    "prequal": "sim.routing.policies.standard.prequal:Prequal",
    "outlier_ejection": "sim.routing.policies.standard.outlier_ejection:OutlierEjection",
    "prefix_cache": "sim.routing.policies.prefix.prefix_cache:PrefixCache",
    "prefix_then_balance": "sim.routing.policies.prefix.prefix_then_balance:PrefixThenBalance",
    "zone_aware": "sim.routing.policies.standard.zone_aware:ZoneAware",
}
"""Where each is, as `module:name`; imported when it is needed."""

FLAWED: Final[Mapping[str, str]] = {
    "first_of_equals": "sim.routing.policies.flawed.first_of_equals:FirstOfEquals",
    "snapshot": "sim.routing.policies.flawed.snapshot:Snapshot",
    "round_robin_from_first": "sim.routing.policies.flawed.round_robin_from_first:RoundRobinFromFirst",
    "round_robin_by_last_use": "sim.routing.policies.flawed.round_robin_by_last_use:RoundRobinByLastUse",
    "round_robin_of_old": "sim.routing.policies.flawed.round_robin_of_old:RoundRobinOfOld",
    "stale_power_of_two": "sim.routing.policies.flawed.stale_power_of_two:StalePowerOfTwo",
    "expiring_counts": "sim.routing.policies.flawed.expiring_counts:ExpiringCounts",
    "own_zone_only": "sim.routing.policies.flawed.own_zone_only:OwnZoneOnly",
}
"""The same of those with a mistake, which the regression corpus needs. No list of what is allowed names them."""

BUILT_IN: Final[Mapping[str, str]] = {**POLICIES, **FLAWED}
