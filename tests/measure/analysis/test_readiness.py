import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sim.measure.analysis.readiness import ReadyTime, ready_times
from sim.measure.recording.events import EventKind
from sim.measure.recording.records import MISSING, Records

PUBLISHED, REMOVED = EventKind.ROW_PUBLISHED, EventKind.ROW_REMOVED


def records_of(*events: tuple[int, EventKind, int]) -> Records:
    """Return records of these events: instant, kind, replica."""
    records = Records()
    for seq, (t_ns, kind, replica) in enumerate(events):
        records.events.append(seq, t_ns, kind, replica, MISSING, MISSING, MISSING, MISSING, MISSING)
    return records


def test_a_replica_is_ready_from_each_publication_to_the_removal_that_follows() -> None:
    records = records_of((0, PUBLISHED, 1), (5, REMOVED, 1), (7, PUBLISHED, 0), (9, PUBLISHED, 1))

    ready = ready_times(records)

    assert list(ready) == [0, 1]
    assert ready[1].starts.tolist() == [0, 9]
    assert ready[1].stops.tolist()[0] == 5
    assert [ready[1].touches(t_ns, t_ns) for t_ns in (0, 4, 5, 8, 9, 99)] == [True, True, False, False, True, True]


def test_a_row_written_over_a_row_stays_ready() -> None:
    records = records_of((0, PUBLISHED, 0), (3, PUBLISHED, 0), (5, REMOVED, 0))

    assert ready_times(records)[0].starts.tolist() == [0]


def test_a_row_that_was_never_published_is_not_missed() -> None:
    assert ready_times(records_of((3, REMOVED, 0))) == {}


@given(st.lists(st.integers(0, 60), min_size=2, max_size=12, unique=True).filter(lambda x: len(x) % 2 == 0))
def test_ready_time_adds_up_instant_by_instant(edges: list[int]) -> None:
    starts, stops = np.array(sorted(edges)[::2]), np.array(sorted(edges)[1::2])
    ready = ReadyTime(starts, stops)
    instants = np.arange(70)

    passed = ready.up_to(instants)

    is_ready = [ready.touches(t_ns, t_ns) for t_ns in instants.tolist()]
    assert passed.tolist() == np.r_[0, np.cumsum(is_ready)[:-1]].tolist()
