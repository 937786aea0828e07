"""Several logs of one run, brought into one order and told to one recorder."""

from sim.live.cluster.journal_log import Entry, EntryClock, JournalLog, merged, tell_again
from sim.routing.fleet import NodeStatus
from sim.routing.outcomes import Answer, AnswerSource, Outcome, ProbeOutcome
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request
from tests.recorders import recorder_by

KEY = ReplicaKey("a", "m", 0)


def request(number: int, frontend: int, arrival_ns: int) -> Request:
    return Request(number, "m", frontend, 0, arrival_ns, 0, 0, 5)


def test_requests_are_numbered_in_the_order_of_arrival_over_all_logs() -> None:
    first = [Entry(10, "arrived", (request(0, 0, 10),)), Entry(30, "arrived", (request(1, 0, 30),))]
    second = [Entry(20, "arrived", (request(0, 1, 20),)), Entry(40, "ended", (request(0, 1, 20), Outcome.FAILED, "x"))]

    told = merged([first, second])

    assert [(entry.t_ns, entry.args[0].id, entry.args[0].frontend) for entry in told] == [
        (10, 0, 0),
        (20, 1, 1),
        (30, 2, 0),
        (40, 1, 1),
    ]


def test_a_run_told_through_a_log_leaves_the_same_records_as_one_told_directly() -> None:
    clock = EntryClock()
    log, direct = JournalLog(clock), recorder_by(clock)
    asked, replica = request(0, 0, 1), Replica("row", KEY, "a:1", 0, 0, 0)
    for journal in (log, direct):
        clock.t_ns = 1
        journal.row_published(KEY, "scenario")
        journal.arrived(asked)
        journal.picked(asked, replica, None)
        clock.t_ns = 2
        journal.probed(asked, KEY, "a:1", 1, ProbeOutcome.OK)
        journal.vouched(asked, Answer(alive=True, source=AnswerSource.PROBED))
        journal.routed(asked, KEY)
        journal.served_from(asked)
        clock.t_ns = 5
        journal.first_token(asked)
        clock.t_ns = 9
        journal.ended(asked, Outcome.COMPLETED, "")
        journal.install_started(KEY, redundant=True)
        journal.load_started(KEY, redundant=True)
        journal.load_ended(KEY, "DeadlineExceeded")
        journal.row_removed(KEY, "a:1", "probe_failed", asked)
        journal.lock_waited(3)
        journal.process_ended(KEY, "a:1", "stopped")
        journal.node_changed("a", NodeStatus.OFFLINE, "stale_heartbeat")
        journal.scaled("m", -1, "idle")
        journal.fault_struck("node_crash", "a")

    other_clock = EntryClock()
    again = recorder_by(other_clock)
    tell_again(merged([log.entries]), again, other_clock)

    assert again.digest() == direct.digest()
