"""What a check of a router found, regression by regression."""

from dataclasses import dataclass
from typing import Any

from sim import __version__
from sim.measure.immunity import FALSE_ALARM, TOLERATED, Immunity, Standing
from sim.scenario.text.errors import did_you_mean, listed


@dataclass(frozen=True, repr=False, eq=False)
class CheckResults:
    """How a router stands to each regression of a corpus, in the order of the corpus."""

    policy: str
    sets: tuple[str, ...]
    """Values of the scenarios that were overridden."""
    seeds: int
    """On how many each regression was tried."""
    too_many: int
    """If as many of them break a bound, the router is called affected."""
    standings: tuple[Standing, ...]

    @property
    def failed(self) -> list[Standing]:
        """Those that affect the router and that it is not excused from."""
        return [one for one in self.standings if one.fails]

    def all_that_are(self, immunity: Immunity | str) -> list[Standing]:
        """Return those in which this was found, such as `affected`."""
        return [one for one in self.standings if one.immunity == immunity]

    def __getitem__(self, name: str) -> Standing:
        """Return the standing to a regression by its name. Raises KeyError."""
        for one in self.standings:
            if one.known.name == name:
                return one
        names = [one.known.name for one in self.standings]
        raise KeyError(f"no regression {name!r}; there are {listed(names)}{did_you_mean(name, names)}")

    @property
    def document(self) -> dict[str, Any]:
        """The results for programs, in values that JSON has."""
        return {
            "sim": __version__,
            "policy": self.policy,
            "set": list(self.sets),
            "seeds": self.seeds,
            "tolerated": TOLERATED,
            "false_alarm": FALSE_ALARM,
            "too_many": self.too_many,
            "rows": [one.document for one in self.standings],
        }

    def __repr__(self) -> str:
        return f"<CheckResults of {self.policy}: {'; '.join(map(str, self.failed)) or 'nothing failed'}>"
