"""What the events say of the fleet as a whole."""

from sim.measure.analysis.fleet import below_minimum_ns, detections_ns, orphaned_ns, stale_ns
from sim.measure.analysis.readiness import ready_times
from sim.measure.recording.records import Records
from sim.routing.fleet import NodeStatus
from sim.routing.replica import ReplicaKey
from tests.recorders import recorder_by

N0, N1 = ReplicaKey("n0", "m", 0), ReplicaKey("n1", "m", 0)


class Told:
    """A recorder whose clock stands where the test puts it."""

    def __init__(self) -> None:
        self.t_ns = 0
        self.alive = False
        self.recorder = recorder_by(self, lambda _address: self.alive)

    def now_ns(self) -> int:
        return self.t_ns

    def wall_ns(self) -> int:
        return self.t_ns

    def published(self, t_ns: int, key: ReplicaKey) -> None:
        self.t_ns = t_ns
        self.recorder.row_published(key, "scenario")

    def removed(self, t_ns: int, key: ReplicaKey, *, alive: bool = False) -> None:
        self.t_ns, self.alive = t_ns, alive
        self.recorder.row_removed(key, "a", "probe_failed", None)

    def ended(self, t_ns: int, key: ReplicaKey, cause: str = "crashed") -> None:
        self.t_ns = t_ns
        self.recorder.process_ended(key, "a", cause)

    def went(self, t_ns: int, node: str, status: NodeStatus) -> None:
        self.t_ns = t_ns
        self.recorder.node_changed(node, status, "stale_heartbeat")

    def stale_ns(self, opens_ns: int, end_ns: int) -> int:
        return stale_ns(self.records, ready_times(self.records), opens_ns, end_ns)

    @property
    def records(self) -> Records:
        return self.recorder.records


def test_a_row_is_stale_from_the_end_of_its_process_to_its_removal() -> None:
    told = Told()
    told.published(0, N0)
    told.published(0, N1)
    told.ended(10, N0)
    told.removed(25, N0)
    told.removed(90, N1)

    assert told.stale_ns(0, 100) == 15
    assert told.stale_ns(20, 100) == 5


def test_a_row_that_nobody_removes_is_stale_to_the_end() -> None:
    told = Told()
    told.published(0, N0)
    told.ended(10, N0)

    assert told.stale_ns(0, 100) == 90


def test_a_row_written_anew_is_stale_no_longer() -> None:
    told = Told()
    told.published(0, N0)
    told.ended(10, N0)
    told.published(30, N0)

    assert told.stale_ns(0, 100) == 20


def test_a_process_without_a_row_makes_nothing_stale() -> None:
    told = Told()
    told.published(0, N0)
    told.removed(5, N0)
    told.ended(10, N0)

    assert told.stale_ns(0, 100) == 0


def test_a_process_is_an_orphan_from_the_removal_of_its_row_to_its_end() -> None:
    told = Told()
    told.published(0, N0)
    told.published(0, N1)
    told.removed(10, N0, alive=True)
    told.ended(25, N0)
    told.removed(90, N1, alive=True)

    assert orphaned_ns(told.records, 0, 100) == 15 + 10
    assert orphaned_ns(told.records, 20, 100) == 5 + 10
    assert orphaned_ns(told.records, 20, 95) == 5 + 5


def test_a_process_that_gets_a_row_again_is_an_orphan_no_longer() -> None:
    told = Told()
    told.published(0, N0)
    told.removed(10, N0, alive=True)
    told.published(30, N0)

    assert orphaned_ns(told.records, 0, 100) == 20


def test_a_row_that_goes_after_its_process_leaves_no_orphan() -> None:
    told = Told()
    told.published(0, N0)
    told.ended(5, N0)
    told.removed(10, N0)

    assert orphaned_ns(told.records, 0, 100) == 0


def test_a_model_is_below_its_minimum_while_too_few_replicas_have_both_row_and_process() -> None:
    told = Told()
    told.published(0, N0)
    told.published(20, N1)
    told.ended(50, N0)
    told.removed(80, N0)
    told.published(90, N0)

    below_two = below_minimum_ns(told.records, {"m": 2}, 0, 100)
    below_one = below_minimum_ns(told.records, {"m": 1}, 0, 100)

    assert below_two == 20 + 40
    assert below_one == 0


def test_a_model_that_never_had_a_replica_is_below_its_minimum_all_the_time() -> None:
    assert below_minimum_ns(Told().records, {"m": 1}, 10, 100) == 90


def test_a_crash_is_detected_when_its_node_goes_offline() -> None:
    told = Told()
    told.ended(10, N0)
    told.ended(10, ReplicaKey("n0", "m", 1))
    told.ended(12, N1, cause="stopped")
    told.went(70, "n0", NodeStatus.OFFLINE)
    told.went(75, "n1", NodeStatus.OFFLINE)
    told.went(80, "n0", NodeStatus.HEALTHY)

    assert detections_ns(told.records) == [60]
