"""A router and several servers: random, in turn, the shortest queue, an idle one, and the shorter of a few."""

from collections.abc import Callable, Mapping
from typing import Final

from sim.study.validate.entry import Entry
from sim.study.validate.families.one_node import load_of, question
from sim.study.validate.queueing import services
from sim.study.validate.queueing.arrivals import Even
from sim.study.validate.queueing.controls import ByReplica, SeveralWorkers
from sim.study.validate.queueing.served import mean_sojourn
from sim.study.validate.queueing.station import Station
from sim.study.validate.system import CannotExpress, Question

SHORTEST = "least_in_flight"
_NO_SERVER_COUNT = "inf (D/M/1)"


def random_split(entry: Entry) -> Question:
    """Each server for itself is M/M/1."""
    return question(entry, _random(load_of(entry), entry.parameters["n"]))


def round_robin(entry: Entry) -> Question:
    """Each server is E_n/M/1; of infinitely many, D/M/1, which is one server with even arrivals."""
    load, servers = load_of(entry), entry.parameters["n"]
    if servers == _NO_SERVER_COUNT:
        return question(entry, Station(load, arrivals=Even()))
    return question(entry, _in_turn(load, servers))


def shortest_queue(entry: Entry) -> Question:
    """The job in service counts, as it does in what is in flight."""
    return question(entry, Station(load_of(entry), servers=entry.parameters["n"], policy=SHORTEST))


def idle_queue(entry: Entry) -> Question:
    """An idle server, else any."""
    return question(entry, Station(load_of(entry), servers=entry.parameters["n"], policy="join_idle_queue"))


def power_of_d(entry: Entry) -> Question:
    """D different servers are drawn."""
    return question(entry, _drawn(entry, replacement=False))


def power_of_d_with_replacement(entry: Entry) -> Question:
    """The same server may be drawn again. The queue length is that of Little's law, with the rate that is known."""
    station = _drawn(entry, replacement=True)
    if entry.quantity == "mean_queue_length_per_server":
        return Question(station, mean_sojourn, station.load)
    return question(entry, station)


def other_simulator(entry: Entry) -> Question:
    """The same system as simulated by others."""
    name, load = entry.parameters["system"], load_of(entry)
    if name not in _SYSTEMS:
        raise CannotExpress("nothing here counts waiting requests alone")
    return question(entry, _SYSTEMS[name](load))


def _random(load: float, servers: int) -> Station:
    return Station(load, servers=servers, policy="random", control=ByReplica(1))


def _in_turn(load: float, servers: int) -> Station:
    return Station(load, servers=servers, policy="round_robin", control=ByReplica(servers))


def _drawn(entry: Entry, *, replacement: bool) -> Station:
    given = entry.parameters
    load = given["rho"] if "rho" in given else given["lam"]
    policy = f"{{name: power_of_d, d: {given['d']}, replacement: {str(replacement).lower()}}}"
    return Station(load, servers=given["n"], policy=policy)


_SYSTEMS: Final[Mapping[str, Callable[[float], Station]]] = {
    "M/M/1": lambda load: Station(load, control=SeveralWorkers()),
    "M/D/1": lambda load: Station(load, services.DETERMINISTIC),
    "M/M/4": lambda load: Station(load, workers=4, control=SeveralWorkers()),
    "round robin n=2": lambda load: _in_turn(load, 2),
    "round robin n=4": lambda load: _in_turn(load, 4),
}
"""By the name that the other simulator's rows give them; each is made from its load."""
