"""What a frontend writes into the registry's rows, so that they count what it holds and no more."""

from hypothesis import given
from hypothesis import strategies as st

from sim.routing.registry import RowChange
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.replica_list.own_counts import OwnCounts

A = ReplicaKey("a", "m", 0)


def row(row_id: str = "row-1") -> Replica:
    return Replica(row_id, A, "a:1", 0, 0, 0)


def read(own: OwnCounts, *rows: Replica) -> dict[str, RowChange]:
    """Make an exchange that succeeds, and return what it wrote."""
    changes = own.take_changes()
    own.written(changes, rows)
    return changes


def test_nothing_is_written_into_a_row_that_was_never_read() -> None:
    own = OwnCounts()
    own.add(A, 2)
    own.use(A)

    assert read(own, row()) == {}
    assert read(own, row()) == {"row-1": RowChange(2, is_used=True)}
    assert read(own, row()) == {}


def test_a_new_row_of_a_replica_gets_the_requests_that_run_there() -> None:
    own = OwnCounts()
    read(own, row())
    own.add(A, 3)
    read(own, row())

    read(own, row("row-2"))

    assert read(own, row("row-2")) == {"row-2": RowChange(3, is_used=False)}


def test_a_row_that_may_not_be_picked_any_more_still_hears_of_the_ends() -> None:
    own = OwnCounts()
    read(own, row())
    own.add(A, 2)
    read(own)

    own.add(A, -2)

    assert own.is_active()
    assert read(own) == {"row-1": RowChange(-2, is_used=False)}
    assert not own.is_active()


def test_what_was_certainly_not_committed_is_written_again() -> None:
    own = OwnCounts()
    read(own, row())
    own.add(A, 1)
    own.use(A)
    lost = own.take_changes()

    own.failed(lost, is_certain=True)

    assert own.take_changes() == lost == {"row-1": RowChange(1, is_used=True)}


def test_what_was_perhaps_committed_is_added_again_and_never_taken_twice() -> None:
    own = OwnCounts()
    read(own, row())
    own.add(A, 1)
    own.failed(own.take_changes(), is_certain=False)
    assert read(own, row()) == {"row-1": RowChange(1, is_used=False)}

    own.add(A, -1)
    own.failed(own.take_changes(), is_certain=False)

    assert read(own, row()) == {}


@given(st.lists(st.tuples(st.integers(-5, 5), st.sampled_from(["exchange", "fail", "go on"]))))
def test_a_row_counts_what_is_held_after_each_exchange(steps: list[tuple[int, str]]) -> None:
    own, stored, held = OwnCounts(), 0, 0
    read(own, row())
    for added, then in steps:
        own.add(A, added)
        held += added
        changes = {} if then == "go on" else own.take_changes()
        if then == "fail":
            own.failed(changes, is_certain=True)
        elif then == "exchange":
            stored += sum(change.added for change in changes.values())
            own.written(changes, [row()])
            assert stored == held
        assert own.unwritten() == ({A: held - stored} if held != stored else {})


class Rows:
    """The rows of one replica, by id, and what this frontend has written into each."""

    def __init__(self) -> None:
        self.stored = {"row-0": 0}
        self._written = 1

    def insert(self) -> None:
        """Write one more row beside those that are there."""
        self.stored[f"row-{self._written}"] = 0
        self._written += 1

    def delete(self, place: int) -> None:
        """Delete the row at that place, unless it is the last one left."""
        if len(self.stored) > 1:
            del self.stored[list(self.stored)[place]]

    def exchange(self, own: OwnCounts) -> None:
        changes = own.take_changes()
        for row_id, change in changes.items():
            if row_id in self.stored:
                self.stored[row_id] += change.added
        own.written(changes, [row(row_id) for row_id in self.stored])


@given(st.lists(st.sampled_from(["+1", "-1", "insert", "delete first", "delete last", "exchange"]), max_size=30))
def test_second_rows_of_a_replica_that_come_and_go_have_nothing_counted_twice(steps: list[str]) -> None:
    own, rows, held = OwnCounts(), Rows(), 0
    for step in steps:
        if step in ("+1", "-1"):
            own.add(A, int(step))
            held += int(step)
        elif step == "insert":
            rows.insert()
        elif step == "exchange":
            rows.exchange(own)
        else:
            rows.delete(0 if step == "delete first" else -1)

    # The first may only learn which row there is.
    for _ in range(2):
        rows.exchange(own)

    assert sum(rows.stored.values()) == held
