"""Which rows the state pass looks at, and how it reads the answers of their processes."""

import pytest

from sim.routing.control_plane.row_inspector import Liveness, liveness, stale_rows, suspected_leaks
from sim.routing.errors import Busy, CallError, DeadlineExceeded, ModelNotLoaded, NoReplica, Unavailable, WrongModel
from sim.routing.fleet import Fleet, ReplicaRow, RowState
from tests.routing.control_plane.state_passes import A

ALIVE, BUSY, UNREACHABLE = Liveness.ALIVE, Liveness.BUSY, Liveness.UNREACHABLE

# id: (how the health call ended, how that is read); the first four are LocalAI's own.
READINGS: dict[str, tuple[CallError | None, Liveness]] = {
    "well in time": (None, ALIVE),
    "too late": (DeadlineExceeded("no answer within 1 s"), BUSY),
    "connection refused": (Unavailable("nobody answers"), UNREACHABLE),
    "answered that it is not well": (Unavailable("answers b'no' to a health call, not OK"), UNREACHABLE),
    "turned away": (Busy("too many calls"), BUSY),
    "no model": (ModelNotLoaded("holds no model"), BUSY),
    "another model": (WrongModel("holds x"), BUSY),
    "no place": (NoReplica("no node"), BUSY),
    "anything else": (CallError("internal"), BUSY),
}


@pytest.mark.parametrize(("error", "expected"), READINGS.values(), ids=READINGS)
def test_a_health_call_is_read_as(error: CallError | None, expected: Liveness) -> None:
    assert liveness(error) is expected


def row(state: RowState = RowState.LOADED, in_flight: int = 0, used: int = 0, updated: int = 0) -> ReplicaRow:
    return ReplicaRow("1", A, "a:1", state, in_flight, used, updated)


NOT_LOADED = [state for state in RowState if state is not RowState.LOADED]

# id: (row, whether it is stale if it must have been updated by 100)
AGES: dict[str, tuple[ReplicaRow, bool]] = {
    "updated before": (row(updated=99), True),
    "updated then": (row(updated=100), False),
    "updated since": (row(updated=101), False),
    "used long before that": (row(used=1, updated=101), False),
    "busy": (row(in_flight=9, updated=99), True),
    **{f"in state {state}": (row(state, updated=99), False) for state in NOT_LOADED},
}


@pytest.mark.parametrize(("row", "expected"), AGES.values(), ids=AGES)
def test_a_row_is_stale(row: ReplicaRow, expected: bool) -> None:
    assert stale_rows(Fleet([], [row], {}, {}), before_ns=100) == [row] * expected


# id: (row, whether its count is suspect if it must have been used by 100)
COUNTS: dict[str, tuple[ReplicaRow, bool]] = {
    "used before": (row(in_flight=1, used=99), True),
    "used then": (row(in_flight=1, used=100), False),
    "used since": (row(in_flight=1, used=101), False),
    "confirmed since": (row(in_flight=1, used=99, updated=101), True),
    "idle": (row(used=99), False),
    **{f"in state {state}": (row(state, in_flight=1, used=99), False) for state in NOT_LOADED},
}


@pytest.mark.parametrize(("row", "expected"), COUNTS.values(), ids=COUNTS)
def test_a_count_is_suspect(row: ReplicaRow, expected: bool) -> None:
    assert suspected_leaks(Fleet([], [row], {}, {}), before_ns=100) == [row] * expected
