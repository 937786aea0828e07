"""What was measured of a machine, for scenarios that assume such times and for the simulated twins of live runs."""

import os
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from itertools import chain

from sim.scenario.text.units import format_duration

US = 1_000

CROWD = 32
"""How many calls are made at once to measure a crowd."""

PERCENTILES = (10, 50, 90, 99)
"""What is shown of each sample."""

MEANING: Mapping[str, str] = {
    "touch": "registry, one statement",
    "crowded_touch": "the same in a crowd, each",
    "pick": "registry, pick of a replica",
    "crowded_pick": "the same in a crowd, each",
    "lock_taken": "registry, an advisory lock that is free",
    "lock_freed": "the same, given back",
    "round_trip": "health call, there and back",
    "crowded_round_trip": "the same in a crowd, each",
    "connect": "the first one on a connection",
    "wake_up": "end of a sleep, too late by",
    "turnaround": "worker, beside the service",
    "install": "process start until it is well",
    "stop": "process end",
}
"""What each sample is of, for people."""


@dataclass(frozen=True, slots=True)
class Sample:
    """Durations of one kind, in nanoseconds, in ascending order."""

    durations_ns: tuple[int, ...]

    def percentile_ns(self, percent: int) -> int:
        """Return the smallest duration that at least so many in a hundred do not exceed; `percent` is 1 to 100."""
        rank = -(-len(self.durations_ns) * percent // 100)  # rounded up
        return self.durations_ns[rank - 1]

    @property
    def median_ns(self) -> int:
        """The middle one; of an even number the lower."""
        return self.percentile_ns(50)


@dataclass(frozen=True, slots=True)
class Calibration:
    """What was measured, on real time.

    What is `crowded` is a call's share of the time that many of its kind take together, from one event loop.
    """

    database: str
    """`sqlite` or `postgresql`."""
    touch: Sample
    """Transactions of a single statement, from the call to the commit."""
    crowded_touch: Sample
    pick: Sample
    """Transactions that choose a row and count a request on it, without contention."""
    crowded_pick: Sample
    """The same in a crowd, all of them on the same rows."""
    lock_taken: Sample
    """Free advisory locks, from the call to where they are held."""
    lock_freed: Sample
    """The same locks, until they are given back."""
    round_trip: Sample
    """Health calls to an idle worker on this machine."""
    crowded_round_trip: Sample
    connect: Sample
    """The first health call to a worker, on a new connection."""
    wake_up: Sample
    """How late an idle event loop goes on after a sleep."""
    turnaround: Sample
    """What a worker needs for each of a queue of requests, beside their own service time."""
    install: Sample
    """From the start of a worker process to its first answer that it is well."""
    stop: Sample
    """From the order to a worker process to end, to its end."""
    late_picks: tuple[int, ...]
    """Of each crowd of picks, how many began when the first of them had ended; none where picks are serial."""

    def settings(self) -> dict[str, str]:
        """Return the values by their place in a scenario, in whole microseconds; `backend.*` belongs under a model."""
        return {
            "registry.transaction": _rounded(self.touch.median_ns),
            "registry.pick": _rounded(self.pick.median_ns),
            "network.latency": _rounded(self.round_trip.median_ns // 2),
            "backend.install_time": _rounded(self.install.median_ns),
        }

    def samples(self) -> dict[str, Sample]:
        """Return all durations that were measured, by name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.type is Sample}

    def figures(self) -> dict[str, dict[str, float]]:
        """Return of each sample its count, and its PERCENTILES in seconds."""
        return {
            name: {
                "count": len(sample.durations_ns),
                **{f"p{percentile}_s": sample.percentile_ns(percentile) / 1e9 for percentile in PERCENTILES},
            }
            for name, sample in self.samples().items()
        }


def pooled(calibrations: Sequence[Calibration]) -> Calibration:
    """Return one calibration with all that several have measured of the same registry."""
    samples = [calibration.samples() for calibration in calibrations]
    names = samples[0].keys()
    together = {name: Sample(tuple(sorted(sum((one[name].durations_ns for one in samples), ())))) for name in names}
    late_picks = tuple(chain.from_iterable(one.late_picks for one in calibrations))
    return Calibration(calibrations[0].database, **together, late_picks=late_picks)


def machine_facts() -> dict[str, str | int]:
    """Return the facts that a reader needs to compare the figures with another machine's."""
    return {
        "system": f"{platform.system()} {platform.release()}",
        "machine": platform.machine(),
        "cpus": os.cpu_count() or 1,
        "python": platform.python_version(),
    }


def _rounded(duration_ns: int) -> str:
    return format_duration(max(1, round(duration_ns / US)) * US)
