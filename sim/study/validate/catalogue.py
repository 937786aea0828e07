"""Which models the simulator can express: one line each. A new family is a file in `families` and its lines here."""

from collections.abc import Callable, Mapping
from pkgutil import resolve_name
from typing import Final, cast

from sim.study.validate.entry import Entry
from sim.study.validate.system import CannotExpress, Question

_COUNTED = "a count over a trace that does not come with the package; tests hold those of the conversation trace"
_HERE = "sim.study.validate.families"

MODELS: Final[Mapping[str, str]] = {
    "drawn gaps between arrivals": f"{_HERE}.drawn:gaps",
    "drawn service times": f"{_HERE}.drawn:service",
    "M/M/1": f"{_HERE}.one_node:exponential",
    "M/D/1": f"{_HERE}.one_node:deterministic",
    "M/G/1 FIFO": f"{_HERE}.one_node:general",
    "M/M/c": f"{_HERE}.one_node:several_workers",
    "central queue M/M/n (lower bound of every router)": f"{_HERE}.one_node:central_queue",
    "random split to n M/M/1": f"{_HERE}.routing:random_split",
    "round robin = E_n/M/1": f"{_HERE}.routing:round_robin",
    "JSQ (counts job in service)": f"{_HERE}.routing:shortest_queue",
    "JIQ single dispatcher (idle, else uniform)": f"{_HERE}.routing:idle_queue",
    "power of d, without replacement, finite n": f"{_HERE}.routing:power_of_d",
    "power of d, without replacement, n=100": f"{_HERE}.routing:power_of_d",
    "power of d, with replacement, finite n": f"{_HERE}.routing:power_of_d_with_replacement",
    "stale snapshot, periodic update, finite n": f"{_HERE}.routing:periodic_update",
    "third-party DES cross-check (ciw 3.2.7)": f"{_HERE}.routing:other_simulator",
    "M^X/M/1 fixed batch": f"{_HERE}.bursts:fixed_batches",
    "M^X/M/1 geometric batch": f"{_HERE}.bursts:geometric_batches",
    "M^X/M/c fixed batch": f"{_HERE}.bursts:fixed_batches",
    "burst at t=0, central queue": f"{_HERE}.bursts:central_queue",
    "burst at t=0, even split (RR / JSQ with own increments)": f"{_HERE}.bursts:even_split",
    "burst at t=0, random split": f"{_HERE}.bursts:random_split",
    "burst at t=0, herd (all to one server)": f"{_HERE}.bursts:herd",
    "probe behind M/M/1 FIFO": f"{_HERE}.probes:behind_exponential",
    "probe behind M/D/1 FIFO": f"{_HERE}.probes:behind_deterministic",
    "probe behind M/G/1 FIFO, S=D0+Exp(m) (prefill+decode)": f"{_HERE}.probes:behind_prefill_and_decode",
    "probe behind M/M/c FIFO": f"{_HERE}.probes:behind_several_workers",
    "probe waits only for the job in service (no queue ahead), exp service": f"{_HERE}.probes:beside_the_queue",
    "probe waits only for the job in service (no queue ahead), det service": f"{_HERE}.probes:beside_the_queue",
    "TTL probe cache, singleflight": f"{_HERE}.probe_cache:singleflight",
    "TTL probe cache, no singleflight, each completion extends expiry": f"{_HERE}.probe_cache:unshared",
    "TTL probe cache, singleflight, failures not cached": f"{_HERE}.probe_cache:failures_are_not_cached",
    "TTL probe cache, R independent routers": f"{_HERE}.probe_cache:several_routers",
    "random split, Jain index": f"{_HERE}.splits:random_split",
    "random split, max/mean": f"{_HERE}.splits:random_split",
    "random split, max-min": f"{_HERE}.splits:random_split",
    "round robin, Jain index": f"{_HERE}.splits:in_turn",
    "round robin, max-min": f"{_HERE}.splits:in_turn",
    "herd: all requests of a window to one of k nodes": f"{_HERE}.splits:herd",
    "M/M/c//5 closed loop (5 users, service/think ratio r=0.4)": f"{_HERE}.closed_loop:machine_repair",
}
"""Where each is turned into a question, as `module:name`; imported when it is needed."""

NOT_EXPRESSED: Final[Mapping[str, str]] = {
    "M/G/1 PS": "no engine shares its time equally among its calls",
    "M/M/c/c": "a backend turns nobody away, however many wait",
    "M/M/c/K": "a backend turns nobody away, however many wait",
    "supermarket n=inf": "there are no infinitely many servers; finite numbers have rows of their own",
    "stale snapshot, periodic update, n=inf fluid cycle": "there are no infinitely many servers",
    "JIQ-Random large system": "an approximation for infinitely many servers",
    "JSQ n=2 tail": "a ratio of probabilities too small to be simulated",
    "M/M/1 output analysis": "a figure for planning runs, not of a run",
    "trace statistic": "a property of a data file",
    "prefix reuse, infinite cache per node, request i to node i mod k": _COUNTED,
    "prefix reuse, longest-prefix-match routing (ties: fewest assigned, then lowest index), infinite cache": _COUNTED,
    "GB10 service rate": "a measurement of a machine",
    "Thor service rate": "a measurement of a machine",
    "Thor / GB10 ratio": "a measurement of a machine",
    "derived service time": "follows from measurements of a machine and a data file",
    "derived service time, M/G/1 FIFO": "its service times follow from a trace that does not come with the package",
    "derived service time, probe behind M/G/1 FIFO": (
        "its service times follow from a trace that does not come with the package"
    ),
    "derived service time, probe waits for the job in service only": (
        "its service times follow from a trace that does not come with the package"
    ),
    "TTL probe cache, no singleflight, first completion sets expiry": (
        "each probe that succeeds renews the entry, as in rows of another model"
    ),
    "R independent round-robin routers, random phase": "an approximation",
}
"""Models that have no builder, and why."""


def question_for(entry: Entry) -> Question:
    """Return the entry in terms of the simulator. Raises CannotExpress, with the reason."""
    if entry.model in NOT_EXPRESSED:
        raise CannotExpress(NOT_EXPRESSED[entry.model])
    if entry.model not in MODELS:
        raise CannotExpress("no such model is known")
    if isinstance(entry.value, list):
        raise CannotExpress("the value is not one number")
    build = cast("Callable[[Entry], Question]", resolve_name(MODELS[entry.model]))
    return build(entry)
