"""Which requests were served with options that had been edited."""

import pytest

from sim.measure.analysis.outdated import edits_ns, outdated_ns, served_outdated
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from tests.hand_clock import HandClock
from tests.recorders import recorder_by

REPLICA, OTHER_MODEL = ReplicaKey("a", "m", 0), ReplicaKey("a", "x", 0)


class Told:
    """A recorder whose clock stands where the test puts it."""

    def __init__(self) -> None:
        self.clock = HandClock()
        self.recorder = recorder_by(self.clock)
        self.requests = 0

    def loaded(self, from_ns: int, to_ns: int, failure: str = "") -> None:
        self.clock.t_ns = from_ns
        self.recorder.load_started(REPLICA, redundant=False)
        self.clock.t_ns = to_ns
        self.recorder.load_ended(REPLICA, failure)

    def edited(self, t_ns: int, model: str = "m") -> None:
        self.clock.t_ns = t_ns
        self.recorder.fault_struck("model_edit", model)

    def served(self, t_ns: int, key: ReplicaKey = REPLICA) -> None:
        self.clock.t_ns = t_ns
        request = Request(self.requests, key.model, 0, 0, t_ns, 0, 0, 0)
        self.requests += 1
        self.recorder.arrived(request)
        self.recorder.routed(request, key)
        self.recorder.served_from(request)

    def outdated(self) -> list[bool]:
        records = self.recorder.records
        outdated: list[bool] = served_outdated(records, records.requests).tolist()
        return outdated


def test_a_process_that_never_loaded_since_the_edit_serves_old_options() -> None:
    told = Told()
    told.served(5)
    told.edited(10)
    told.served(15)

    assert told.outdated() == [False, True]


def test_a_load_that_began_after_the_edit_has_the_new_options() -> None:
    told = Told()
    told.edited(10)
    told.loaded(20, 30)
    told.served(35)

    assert told.outdated() == [False]


def test_a_load_that_began_before_the_edit_ends_with_the_old_options() -> None:
    told = Told()
    told.loaded(5, 30)
    told.edited(10)
    told.served(35)

    assert told.outdated() == [True]


def test_until_a_new_load_has_ended_the_process_serves_as_before() -> None:
    told = Told()
    told.edited(10)
    told.recorder.load_started(REPLICA, redundant=True)
    told.served(15)
    told.clock.t_ns = 20
    told.recorder.load_ended(REPLICA, "")
    told.served(25)

    assert told.outdated() == [True, False]


def test_a_load_that_fails_changes_nothing() -> None:
    told = Told()
    told.edited(10)
    told.loaded(20, 30, failure="out of memory")
    told.served(35)

    assert told.outdated() == [True]


def test_each_edit_makes_what_was_loaded_before_it_old() -> None:
    told = Told()
    told.edited(10)
    told.loaded(20, 30)
    told.served(35)
    told.edited(40)
    told.served(45)

    assert told.outdated() == [False, True]
    assert edits_ns(told.recorder.records) == {"m": [10, 40]}


def test_an_edit_of_another_model_changes_nothing() -> None:
    told = Told()
    told.edited(10, "x")
    told.served(15)
    told.served(16, OTHER_MODEL)

    assert told.outdated() == [False, True]


@pytest.mark.parametrize("kind", ["node_crash", "row_lost"])
def test_another_fault_is_no_edit(kind: str) -> None:
    told = Told()
    told.recorder.fault_struck(kind, "m")

    assert edits_ns(told.recorder.records) == {}


def test_a_process_is_outdated_from_the_edit_until_it_loads_again() -> None:
    told = Told()
    told.recorder.row_published(REPLICA, "scenario")
    told.edited(10)
    told.edited(20)
    told.loaded(35, 40)

    assert outdated_ns(told.recorder.records, 0, 100) == 25
    assert outdated_ns(told.recorder.records, 30, 100) == 5


def test_a_process_is_outdated_until_it_ends_or_the_run_does() -> None:
    told = Told()
    told.recorder.row_published(REPLICA, "scenario")
    told.edited(10)
    assert outdated_ns(told.recorder.records, 0, 100) == 90

    told.clock.t_ns = 50
    told.recorder.process_ended(REPLICA, "a", "stopped")
    assert outdated_ns(told.recorder.records, 0, 100) == 40


def test_a_process_of_another_model_or_of_a_later_start_is_not_outdated() -> None:
    told = Told()
    told.recorder.row_published(OTHER_MODEL, "scenario")
    told.edited(10)
    told.recorder.row_published(REPLICA, "scale_up")

    assert outdated_ns(told.recorder.records, 0, 100) == 0
