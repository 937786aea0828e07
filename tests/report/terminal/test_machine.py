"""What was measured of a machine as a person reads it."""

import io

from rich.console import Console

from sim.report.terminal.machine import MachineTable
from tests.calibrations import made_up

FACTS: dict[str, str | int] = {"system": "Linux 6.1", "machine": "x86_64", "cpus": 2, "python": "3.11.7"}


def test_each_sample_is_a_line_in_milliseconds_and_the_last_line_says_what_follows() -> None:
    out = io.StringIO()
    measured = made_up("postgresql", pick=(1_500_000, 2_000_000, 9_000_000))

    Console(file=out, width=100).print(MachineTable(measured, FACTS, machine_s=0.0115))

    shown = out.getvalue()
    assert "postgresql on Linux 6.1 x86_64, 2 CPUs, Python 3.11.7" in shown
    (pick,) = [line.split() for line in shown.splitlines() if "pick of a replica" in line]
    assert pick[-5:] == ["1.500", "2.000", "9.000", "9.000", "3"]
    assert "any time may be off by 0.0115 s" in shown


def test_a_line_tells_of_picks_that_began_late() -> None:
    out = io.StringIO()

    Console(file=out, width=100).print(MachineTable(made_up("postgresql", (0, 12, 3)), FACTS, machine_s=0))

    assert "in 2 of 3 crowds of 32 picks some began when the first had ended, at most 12" in out.getvalue()
