"""Calibrations for tests, made up."""

from dataclasses import fields

from sim.live.cluster.calibration import Calibration, Sample


def made_up(
    database: str = "sqlite", late_picks: tuple[int, ...] = (), /, **durations_ns: int | tuple[int, ...]
) -> Calibration:
    """Return a calibration with these durations, one or several of a kind; 1 ns of all that is not given."""
    names = [field.name for field in fields(Calibration) if field.type is Sample]
    given = {name: durations_ns.get(name, 1) for name in names}
    assert durations_ns.keys() <= given.keys()
    samples = {name: Sample(value if isinstance(value, tuple) else (value,)) for name, value in given.items()}
    return Calibration(database, **samples, late_picks=late_picks)
