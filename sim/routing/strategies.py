"""Every behaviour that a frontend can be given by name: what LocalAI does, and what this project puts in its place."""

from collections.abc import Callable, Mapping

from sim.routing.control_plane.exact_stop import Finds, finds_anywhere, finds_at_loopback
from sim.routing.control_plane.model_edits import ModelEdits, ReviseOnEdit, UnloadOnEdit
from sim.routing.control_plane.monitoring import BusyIsAlive, EveryMiss, Monitoring
from sim.routing.control_plane.replica_pass import LoadInfo, known_for_good, known_with_rows
from sim.routing.control_plane.state_pass import (
    FIRST_MISS,
    THIRD_MISS,
    WORKER_FIRST,
    Reaper,
)
from sim.routing.control_plane.ticker import PassRule, every_frontend, once_per_tick
from sim.routing.control_plane.turns import InSequence, NewTurns, SideBySide
from sim.routing.fleet import STATUS_HEEDED, STATUS_IGNORED, NodeRule
from sim.routing.loading.free_process import FreeProcess, stop_by_model_name, stop_exact_process, unload_some_process
from sim.routing.loading.load_limits import BY_SIZE, FIXED, LoadLimit
from sim.routing.loading.load_path import LIFECYCLE, ON_SUCCESS, LoadRows
from sim.routing.loading.load_retry import LoadRetry, RetryAtOnce, RetryWithBackoff
from sim.routing.loading.placement import (
    FAITHFUL,
    REPAIRED,
    NeededDisk,
    PlacementRules,
    TakenIndexes,
    indexes_of_rows,
    needed_disk_bytes,
    no_disk_bytes,
    no_index,
)
from sim.routing.policies.choose import Chooser
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.ports import Clock, FrontendPorts, Runtime
from sim.routing.replica_list.listed import OwnInFlight, OwnSends, Rotating, Snapshot
from sim.routing.replica_list.replica_list import NewList
from sim.routing.request_path.decrements import IGNORED, RETRIED, Decrements
from sim.routing.request_path.health_check import BUSY_IS_NOT_DEAD, DELETE_ROW_ON_TIMEOUT, Reading
from sim.routing.request_path.retries import Retries, ThrottledRetries
from sim.routing.request_path.route import (
    FIRST_CALL,
    FIRST_CALL_OR_NEXT_ROUTE,
    REQUEST_SCOPE,
    ROW_GOES,
    ROW_STAYS,
    ModelMissing,
    OnRegistryError,
    Reservation,
    fail_closed,
    fail_open,
)
from sim.routing.request_path.router import PickScope, among_all, among_matching
from sim.routing.request_path.singleflight import DetachedFlight, LeaderOwnedFlight, Singleflight, UnsharedCalls
from sim.routing.settings import (
    DiskRuleName,
    ExactStopName,
    ListedCountsName,
    LoadInfoName,
    LoadLimitName,
    LoadRetryName,
    LoadRowsName,
    ModelEditsName,
    MonitoringName,
    NodeStatusName,
    OnFailedDecrementName,
    OnRegistryErrorName,
    OnWrongModelName,
    PassRuleName,
    PlacementName,
    PressureName,
    ReadingName,
    ReaperName,
    ReleaseName,
    ReservationName,
    RetryName,
    ScalingName,
    SelectorName,
    SharingName,
    SlotsName,
)

RESERVATIONS: Mapping[ReservationName, Reservation] = {
    "first_call": FIRST_CALL,
    "first_call_or_next_route": FIRST_CALL_OR_NEXT_ROUTE,
    "request_scope": REQUEST_SCOPE,
}
ON_REGISTRY_ERROR: Mapping[OnRegistryErrorName, OnRegistryError] = {"fail_open": fail_open, "fail_closed": fail_closed}
ON_FAILED_DECREMENT: Mapping[OnFailedDecrementName, Decrements] = {"ignore": IGNORED, "retry": RETRIED}
ON_WRONG_MODEL: Mapping[OnWrongModelName, ModelMissing] = {"keep_row": ROW_STAYS, "remove_row": ROW_GOES}
RETRIES: Mapping[RetryName, Callable[[], Retries] | None] = {
    "none": None,
    "other_replica": Retries,
    "throttled": ThrottledRetries,
}
SELECTORS: Mapping[SelectorName, PickScope] = {"after_pick": among_all, "in_pick": among_matching}
LISTED_COUNTS: Mapping[ListedCountsName, NewList] = {
    "snapshot": Snapshot,
    "own_sends": OwnSends,
    "own_in_flight": OwnInFlight,
    "rotate": Rotating,
}

SHARING: Mapping[SharingName, Callable[[Runtime], Singleflight]] = {
    "unshared": lambda _runtime: UnsharedCalls(),
    "leader_owned": LeaderOwnedFlight,
    "detached": DetachedFlight,
}
READINGS: Mapping[ReadingName, Reading] = {"remove_row": DELETE_ROW_ON_TIMEOUT, "keep_row": BUSY_IS_NOT_DEAD}

DISK: Mapping[DiskRuleName, NeededDisk] = {"ignored": no_disk_bytes, "headroom": needed_disk_bytes}
PLACEMENT: Mapping[PlacementName, PlacementRules] = {"lenient": FAITHFUL, "strict": REPAIRED}
SLOTS: Mapping[SlotsName, TakenIndexes] = {"ignored": no_index, "counted": indexes_of_rows}
LOAD_ROWS: Mapping[LoadRowsName, LoadRows] = {"on_success": ON_SUCCESS, "lifecycle": LIFECYCLE}
LOAD_RETRIES: Mapping[LoadRetryName, Callable[[Clock], LoadRetry]] = {
    "at_once": lambda _clock: RetryAtOnce(),
    "backoff": RetryWithBackoff,
}
LOAD_LIMITS: Mapping[LoadLimitName, LoadLimit] = {"fixed": FIXED, "by_size": BY_SIZE}
FREE_PROCESS: Mapping[ReleaseName, FreeProcess] = {
    "unload": unload_some_process,
    "stop_by_name": stop_by_model_name,
    "stop": stop_exact_process,
}

NODE_RULES: Mapping[NodeStatusName, NodeRule] = {"ignored": STATUS_IGNORED, "heeded": STATUS_HEEDED}
MONITORING: Mapping[MonitoringName, Callable[[], Monitoring]] = {"every_miss": EveryMiss, "busy_is_alive": BusyIsAlive}
REAPERS: Mapping[ReaperName, Reaper] = {
    "first_miss": FIRST_MISS,
    "third_miss": THIRD_MISS,
    "worker_first": WORKER_FIRST,
}
LOAD_INFO: Mapping[LoadInfoName, LoadInfo] = {"with_rows": known_with_rows, "kept": known_for_good}
EXACT_STOPS: Mapping[ExactStopName, Finds] = {"by_loopback": finds_at_loopback, "by_key": finds_anywhere}
MODEL_EDITS: Mapping[ModelEditsName, Callable[[FrontendPorts], ModelEdits]] = {
    "unload": UnloadOnEdit,
    "revision": ReviseOnEdit,
}
PRESSURE: Mapping[PressureName, Callable[[Chooser], Pressure | None]] = {
    "ignored": lambda _chooser: None,
    "heeded": lambda chooser: chooser.pressure,
}
TURNS: Mapping[ScalingName, NewTurns] = {"in_sequence": InSequence, "side_by_side": SideBySide}
PASSES: Mapping[PassRuleName, PassRule] = {"every_frontend": every_frontend, "once_per_tick": once_per_tick}
