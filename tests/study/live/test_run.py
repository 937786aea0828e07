"""A live run's entries told to a recorder: which processes were there, and when."""

from sim.live.cluster.cluster import LiveOutcome
from sim.live.cluster.journal_log import Entry
from sim.measure.recording.events import Flag, has
from sim.routing.replica import ReplicaKey
from sim.study.live.run import recorded
from tests.recorders import NOTHING_PLANNED

KEY = ReplicaKey("a", "m", 0)


def outcome(running_at_the_end: tuple[str, ...], *entries: tuple[str, str]) -> LiveOutcome:
    """Return a run of which each of these things was told of an address, one after the other."""
    told = {"row_removed": ("evicted", None), "process_ended": ("stopped",)}
    return LiveOutcome(
        entries=[Entry(t_ns, what, (KEY, address, *told[what])) for t_ns, (what, address) in enumerate(entries)],
        transactions=0,
        floor_hits=0,
        final_in_flight=0,
        end_ns=len(entries),
        running_addresses=running_at_the_end,
        transcripts=(),
    )


def removed_alive(told: LiveOutcome) -> list[bool]:
    """Return of each removed row whether its process was there."""
    events = recorded(told, NOTHING_PLANNED).records.events
    return [bool(alive) for alive in events["flag"][has(events, Flag.PROCESS_ALIVE)]]


def test_a_process_is_there_until_its_end_is_told() -> None:
    told = outcome((), ("row_removed", "a:1"), ("process_ended", "a:1"), ("row_removed", "a:1"))

    assert removed_alive(told) == [True, False]


def test_a_process_that_ran_at_the_end_was_there_all_the_time() -> None:
    told = outcome(("a:1",), ("row_removed", "a:1"), ("row_removed", "a:2"))

    assert removed_alive(told) == [True, False]


def test_an_address_that_was_given_to_a_second_process_is_alive_again() -> None:
    told = outcome(("a:1",), ("row_removed", "a:1"), ("process_ended", "a:1"), ("row_removed", "a:1"))

    assert removed_alive(told) == [True, True]
