"""Assertions that the registry's rows tell the truth: no live replica loses its row, and no count is left behind."""

import numpy as np

from sim.measure.recording.records import MISSING
from sim.measure.result import RunResult

_SHOWN = 5


def assert_no_row_removed_alive(result: RunResult) -> None:
    """Assert that no row was deleted while its process was alive; the message tells when, whose and why.

    That is over the whole run, its warm-up included. Raises AssertionError.
    """
    __tracebackhide__ = True
    removed = result.events[(result.events["kind"] == "row_removed") & (result.events["process_alive"])]
    if removed.empty:
        return
    lines = [
        f"{row['replica']} at {row['t_s']:.6g} s, because of {row['cause']}"
        for _, row in removed.head(_SHOWN).iterrows()
    ]
    if len(removed) > _SHOWN:
        lines.append(f"and {len(removed) - _SHOWN} more, in result.events")
    raise AssertionError("\n".join([f"{result.name}: {len(removed)} rows of live replicas were deleted", *lines]))


def assert_no_leak(result: RunResult) -> None:
    """Assert that at the end the rows count no more requests in flight than there are unfinished ones.

    A count that is never given back makes its replica look busy for as long as its row lives. Raises AssertionError.
    """
    __tracebackhide__ = True
    counted = result.totals.final_in_flight
    unfinished = int(np.count_nonzero(result.records.requests["end_ns"] == MISSING))
    if counted > unfinished:
        drift_ns = result.totals.drift_ns
        drift = "" if drift_ns is None else f" (in_flight.drift_s is {drift_ns / 1e9:.6g})"
        raise AssertionError(
            f"{result.name}: at the end the rows count {counted} requests in flight, and {unfinished} are "
            f"unfinished: {counted - unfinished} were never given back{drift}"
        )
