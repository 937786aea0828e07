"""One backend: M/M/1, M/D/1, M/G/1 and M/M/c, first come, first served."""

from collections.abc import Mapping
from typing import Final

from sim.study.validate.entry import Entry
from sim.study.validate.queueing import services
from sim.study.validate.queueing.controls import SeveralWorkers, SojournAbove
from sim.study.validate.queueing.levels import TwoLevels
from sim.study.validate.queueing.served import (
    FindAtLeast,
    Percentile,
    WaitAbove,
    mean_sojourn,
    mean_wait,
    share_that_waits,
    sojourns,
    waits,
)
from sim.study.validate.queueing.services import Service
from sim.study.validate.queueing.station import Station
from sim.study.validate.queueing.theory import decay_rate_of_constant_service
from sim.study.validate.system import CannotExpress, Figure, Question, figure_named

SERVICES: Final[Mapping[str, Service]] = {
    "Deterministic": services.DETERMINISTIC,
    "Erlang-2": services.ERLANG_2,
    "Exp": services.EXPONENTIAL,
    "H2_balanced_CV2=4": services.hyperexponential(4),
    "Lognormal_CV2=2": services.lognormal(2),
    "Uniform(0,2)": services.UNIFORM,
    "shifted_exp_D0.25+Exp0.75": services.constant_and_exponential(0.25),
    "mix_0.5xD(0.2)+0.5xExp(1.8)": services.SHORT_AND_LONG,
}

_FIGURES: Final[Mapping[str, Figure]] = {
    "mean_wait": mean_wait,
    "mean_sojourn": mean_sojourn,
    "P(wait) Erlang C": share_that_waits,
    "sigma": share_that_waits,
    "P(wait>2D)": WaitAbove(2.0),
    "P(N>=4)": FindAtLeast(4),
}
_ABOVE: Final[Mapping[str, float]] = {"sojourn_p50": 0.5, "sojourn_p99": 0.01}
"""Share of the requests above a percentile."""
_TIMES = ("mean_wait", "mean_sojourn")


def exponential(entry: Entry) -> Question:
    """M/M/1, by `rho` or by `lam` and `mu`. Its sojourn times are exponential."""
    load = load_of(entry)
    above = _ABOVE.get(entry.quantity)
    if above is None:
        return question(entry, Station(load))
    figure = Percentile(sojourns, entry.number, above, density_per_s=above * (1 - load))
    return Question(TwoLevels(Station(load, control=SojournAbove(entry.number))), figure)


def deterministic(entry: Entry) -> Question:
    """M/D/1. The tail of its waits is exponential well before the 99th percentile."""
    load = load_of(entry)
    station = Station(load, services.DETERMINISTIC)
    if entry.quantity != "wait_p99":
        return question(entry, station)
    figure = Percentile(waits, entry.number, above=0.01, density_per_s=0.01 * decay_rate_of_constant_service(load))
    return Question(TwoLevels(station), figure)


def general(entry: Entry) -> Question:
    """M/G/1 with one of the laws that are known here by name."""
    return question(entry, Station(load_of(entry), entry.one_of("service", SERVICES)))


def several_workers(entry: Entry) -> Question:
    """M/M/c."""
    return question(entry, Station(load_of(entry), workers=entry.whole("c"), control=SeveralWorkers()))


def central_queue(entry: Entry) -> Question:
    """M/M/n as one backend with a worker for each server."""
    return question(entry, Station(load_of(entry), workers=entry.whole("n"), control=SeveralWorkers()))


def question(entry: Entry, station: Station) -> Question:
    """Ask a station for what the entry is about. Raises CannotExpress for a quantity that is not measured here."""
    if entry.quantity == "mean_number":
        # Little's law, with the rate that is known.
        return Question(TwoLevels(station), mean_sojourn, station.rate_per_s)
    mean_service = 1 / (entry.positive("mu") if "mu" in entry.parameters else 1.0)
    scale = mean_service if entry.quantity in _TIMES else 1.0
    return Question(TwoLevels(station), figure_named(entry.quantity, _FIGURES), scale)


def load_of(entry: Entry) -> float:
    """Return the offered work over the capacity. Raises CannotExpress for one that no queue can bear."""
    if "rho" in entry.parameters:
        return float(entry.below_one("rho"))
    workers = entry.whole("c") if "c" in entry.parameters else 1
    load = entry.positive("lam") / entry.positive("mu") / workers
    if load >= 1:
        raise CannotExpress(f"the parameters make a load of {load:.3g}; allowed: below 1")
    return load
