"""A router and several servers: random, in turn, the shortest queue, an idle one, and the shorter of a few."""

from collections.abc import Callable, Mapping
from typing import Final

from sim.study.validate.entry import Entry
from sim.study.validate.families.one_node import load_of, question
from sim.study.validate.queueing import services
from sim.study.validate.queueing.arrivals import Even
from sim.study.validate.queueing.controls import ByReplica, SeveralWorkers
from sim.study.validate.queueing.dispatch import OldFigures, ShownCounts
from sim.study.validate.queueing.levels import TwoLevels
from sim.study.validate.queueing.served import mean_sojourn
from sim.study.validate.queueing.station import Station
from sim.study.validate.system import CannotExpress, Question

SHORTEST = "least_in_flight"
_NO_SERVER_COUNT = "inf (D/M/1)"
_D_CHOICES = "d-choices with replacement"
_WAITING_ALONE = "JSQ n=4 counting only WAITING jobs (ciw JoinShortestQueue)"
_LEAST_POSTED: Final[Mapping[str, tuple[ShownCounts, str]]] = {
    "least posted, random ties": ("snapshot", "random"),
    "least posted, ties to the lowest index": ("snapshot", "first"),
    "least posted + own sends added to the snapshot": ("own_sends", "random"),
    "rotate through the snapshot order (sorted by posted level, restarted at each refresh)": ("rotate", "random"),
}
"""What a list of old figures shows, and how ties are broken, by the rows' name of the rule."""


def random_split(entry: Entry) -> Question:
    """Each server for itself is M/M/1."""
    return question(entry, _random(load_of(entry), entry.whole("n")))


def round_robin(entry: Entry) -> Question:
    """Each server is E_n/M/1; of infinitely many, D/M/1, which is one server with even arrivals."""
    load = load_of(entry)
    if entry.parameters.get("n") == _NO_SERVER_COUNT:
        return question(entry, Station(load, arrivals=Even()))
    return question(entry, _in_turn(load, entry.whole("n")))


def shortest_queue(entry: Entry) -> Question:
    """The job in service counts, as it does in what is in flight."""
    return question(entry, Station(load_of(entry), servers=entry.whole("n"), policy=SHORTEST))


def idle_queue(entry: Entry) -> Question:
    """An idle server, else any."""
    return question(entry, Station(load_of(entry), servers=entry.whole("n"), policy="join_idle_queue"))


def power_of_d(entry: Entry) -> Question:
    """D different servers are drawn."""
    return question(entry, _drawn(entry, replacement=False))


def power_of_d_with_replacement(entry: Entry) -> Question:
    """The same server may be drawn again. The queue length is that of Little's law, with the rate that is known."""
    station = _drawn(entry, replacement=True)
    if entry.quantity == "mean_queue_length_per_server":
        return Question(TwoLevels(station), mean_sojourn, station.load)
    return question(entry, station)


def periodic_update(entry: Entry) -> Question:
    """All servers are read every T, and nothing else is known of them (Mitzenmacher, IEEE TPDS 11(1), 2000)."""
    shows: ShownCounts = "snapshot"
    if entry.parameters.get("policy") == _D_CHOICES:
        policy = _of_d(entry.whole("d"), replacement=True)
    else:
        shows, ties = entry.one_of("policy", _LEAST_POSTED)
        policy = f"{{name: {SHORTEST}, ties: {ties}}}"
    # Their mean sojourn, less the mean service time.
    figures = OldFigures(entry.positive("T"), shows, max(0.0, entry.number - 1))
    return question(entry, Station(entry.below_one("lam"), servers=entry.whole("n"), policy=policy, figures=figures))


def other_simulator(entry: Entry) -> Question:
    """The same system as simulated by others."""
    if entry.parameters.get("system") == _WAITING_ALONE:
        raise CannotExpress("nothing here counts waiting requests alone")
    new_station = entry.one_of("system", _SYSTEMS)
    return question(entry, new_station(load_of(entry)))


def _random(load: float, servers: int) -> Station:
    return Station(load, servers=servers, policy="random", control=ByReplica(1))


def _in_turn(load: float, servers: int) -> Station:
    return Station(load, servers=servers, policy="round_robin", control=ByReplica(servers))


def _drawn(entry: Entry, *, replacement: bool) -> Station:
    load = entry.below_one("rho" if "rho" in entry.parameters else "lam")
    return Station(load, servers=entry.whole("n"), policy=_of_d(entry.whole("d"), replacement=replacement))


def _of_d(draws: int, *, replacement: bool) -> str:
    return f"{{name: power_of_d, d: {draws}, replacement: {str(replacement).lower()}}}"


_SYSTEMS: Final[Mapping[str, Callable[[float], Station]]] = {
    "M/M/1": lambda load: Station(load, control=SeveralWorkers()),
    "M/D/1": lambda load: Station(load, services.DETERMINISTIC),
    "M/M/4": lambda load: Station(load, workers=4, control=SeveralWorkers()),
    "round robin n=2": lambda load: _in_turn(load, 2),
    "round robin n=4": lambda load: _in_turn(load, 4),
}
"""By the name that the other simulator's rows give them; each is made from its load."""
