"""Writes down a run as it happens: the journal that the routing code talks to, kept as columns of integers."""

from array import array
from collections.abc import Callable
from itertools import count
from struct import Struct

from sim.measure.recording.events import EventKind, check_cause, status_flag
from sim.measure.recording.records import MISSING, Records
from sim.observer import Observer, RunView
from sim.routing.fleet import NodeStatus
from sim.routing.outcomes import Answer, Outcome, ProbeOutcome
from sim.routing.ports import Clock
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import COLUMNS, Request

_REQUEST = Records().requests.columns
_REQUEST_WIDTH = len(_REQUEST)
_ROUTED_NS = _REQUEST.index("routed_ns")
_START_NS = _REQUEST.index("start_ns")
_FIRST_TOKEN_NS = _REQUEST.index("first_token_ns")
_SERVED_NS = _REQUEST.index("served_ns")
_END_NS = _REQUEST.index("end_ns")
_OUTCOME = _REQUEST.index("outcome")
_CAUSE = _REQUEST.index("cause")
_REPLICA = _REQUEST.index("replica")
# What is known of a request when it arrives stands before its route; the rest is filled in later.
_UNKNOWN = array("q", [MISSING] * (_REQUEST_WIDTH - _ROUTED_NS)).tobytes()
_pack_arrived: Callable[[int, Request], bytes] = eval(
    # Compiled, as a dataclass compiles its methods: operator.attrgetter takes twice as long.
    f"lambda model, request: pack(model, {', '.join(f'request.{name}' for name in COLUMNS[1:])}, unknown)",
    {"pack": Struct(f"{_ROUTED_NS}q{len(_UNKNOWN)}s").pack, "unknown": _UNKNOWN},
)

_PICK = Records().picks.columns
_PICK_WIDTH = len(_PICK)
_PICK_SOURCE = _PICK.index("source")
_PICK_ALIVE = _PICK.index("alive")
_pack_pick = Struct(f"{_PICK_WIDTH}q").pack


class Recorder(Observer):
    """The observer that appends each fact to `records`, stamped with the clock's time."""

    _clock: Clock
    _is_alive: Callable[[str], bool]

    def __init__(self) -> None:
        self.records = Records()
        self._seq = count()
        self._next_request = 0
        self._unvouched: dict[int, int] = {}  # by request: the row of its pick, while the replica is being probed
        self._read_beginnings: set[tuple[int, int]] = set()  # by a replica's code: the first blocks of prompts
        # A run spends its time on requests and picks, so what they need is looked up once.
        self._requests = self.records.requests.cells
        self._picks = self.records.picks.cells
        self._models, self._replicas = self.records.models, self.records.replicas
        self._addresses, self._causes = self.records.addresses, self.records.causes

    def begin(self, view: RunView) -> None:
        """Take the time from the run's clock from now on, and the truth about its processes."""
        self._clock = view.clock
        self._is_alive = view.is_alive

    def digest(self) -> str:
        """Return the digest of what was recorded so far."""
        return self.records.digest()

    def arrived(self, request: Request) -> None:
        """Open the request's row.

        Raises ValueError if its id is not the next one: rows are found by id.
        """
        if request.id != self._next_request:
            raise ValueError(f"request {request.id} arrived where request {self._next_request} was due")
        self._next_request += 1
        self._requests.frombytes(_pack_arrived(self._models[request.model], request))

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """Add a pick, with the replica's load as the registry showed it and what the probe cache remembers of it."""
        if remembered is None:
            self._unvouched[request.id] = len(self._picks) // _PICK_WIDTH
            alive, source = MISSING, MISSING
        else:
            alive, source = remembered
        self._picks.frombytes(
            _pack_pick(
                next(self._seq),
                self._clock.now_ns(),
                request.id,
                self._replicas[replica.key],
                self._addresses[replica.address],
                replica.in_flight,
                replica.last_used_ns,
                source,
                alive,
            )
        )

    def vouched(self, request: Request, answer: Answer) -> None:
        """Complete the request's last pick with what the probe said."""
        row = self._unvouched.pop(request.id)
        self._picks[row * _PICK_WIDTH + _PICK_SOURCE] = answer.source
        self._picks[row * _PICK_WIDTH + _PICK_ALIVE] = answer.alive

    def probed(
        self, request: Request | None, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome
    ) -> None:
        """Add a probe that has ended now, and whether the process it went to is alive."""
        self.records.probes.append(
            next(self._seq),
            MISSING if request is None else request.id,
            self._replicas[key],
            self._addresses[address],
            started_ns,
            self._clock.now_ns(),
            outcome,
            self._is_alive(address),
        )

    def checked(self, request: Request, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        """Add an event: a liveness check has ended so."""
        self._happened(EventKind.CHECK_ENDED, key, check_cause(outcome), self._addresses[address], request.id)

    def routed(self, request: Request, key: ReplicaKey) -> None:
        """Fill in the replica and the time of the route."""
        row = request.id * _REQUEST_WIDTH
        self._requests[row + _REPLICA] = self._replicas[key]
        self._requests[row + _ROUTED_NS] = self._clock.now_ns()

    def served_from(self, request: Request) -> None:
        """Fill in the start of service."""
        self._requests[request.id * _REQUEST_WIDTH + _START_NS] = self._clock.now_ns()

    def recalled(self, request: Request, blocks: int) -> None:
        """Add two events: so many blocks of the prompt were cached, and so many are read.

        And a third one if none were, although a process of the same replica has read the beginning before.
        """
        self._happened(EventKind.BLOCKS_RECALLED, None, request=request.id, flag=blocks)
        self._happened(EventKind.BLOCKS_READ, None, request=request.id, flag=len(request.chain) - blocks)
        if not blocks and self._beginning(request) in self._read_beginnings:
            self._happened(EventKind.PROMPT_LOST, None, request=request.id)

    def first_token(self, request: Request) -> None:
        """Fill in the time of the first token; by then the prompt has been read."""
        self._requests[request.id * _REQUEST_WIDTH + _FIRST_TOKEN_NS] = self._clock.now_ns()
        if request.chain:
            self._read_beginnings.add(self._beginning(request))

    def served_until(self, request: Request) -> None:
        """Fill in the end of service."""
        self._requests[request.id * _REQUEST_WIDTH + _SERVED_NS] = self._clock.now_ns()

    def retried(self, request: Request, key: ReplicaKey, cause: str) -> None:
        """Add an event: a call has failed and is made again. The service that it got counts no longer."""
        row = request.id * _REQUEST_WIDTH
        for column in (_START_NS, _FIRST_TOKEN_NS, _SERVED_NS):
            self._requests[row + column] = MISSING
        self._happened(EventKind.CALL_RETRIED, key, cause, request=request.id)

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """Fill in the end and the outcome. Raises ValueError if the request has ended before."""
        row = request.id * _REQUEST_WIDTH
        if self._requests[row + _OUTCOME] != MISSING:
            raise ValueError(f"request {request.id} has ended before")
        self._requests[row + _END_NS] = self._clock.now_ns()
        self._requests[row + _OUTCOME] = outcome
        if cause:
            self._requests[row + _CAUSE] = self._causes[cause]

    def row_published(self, key: ReplicaKey, cause: str) -> None:
        """Add an event: the row can be picked from now on."""
        self._happened(EventKind.ROW_PUBLISHED, key, cause)

    def row_removed(self, key: ReplicaKey, address: str, cause: str, request: Request | None) -> None:
        """Add an event: the row is gone, though its process may be alive."""
        number = MISSING if request is None else request.id
        alive = self._is_alive(address)
        self._happened(EventKind.ROW_REMOVED, key, cause, self._addresses[address], number, alive)

    def install_started(self, key: ReplicaKey, redundant: bool) -> None:
        """Add an event: a process was asked for."""
        self._happened(EventKind.INSTALL_STARTED, key, flag=redundant)

    def load_started(self, key: ReplicaKey, redundant: bool) -> None:
        """Add an event: a model load was asked for."""
        self._happened(EventKind.LOAD_STARTED, key, flag=redundant)

    def load_ended(self, key: ReplicaKey, failure: str) -> None:
        """Add an event: the load succeeded, or failed for the reason given."""
        self._happened(EventKind.LOAD_ENDED, key, failure)

    def lock_waited(self, wait_ns: int) -> None:
        """Add a registry transaction that waited so long for a lock."""
        self.records.lock_waits.append(next(self._seq), wait_ns)

    def process_ended(self, key: ReplicaKey, address: str, cause: str) -> None:
        """Add an event: a process is there no longer."""
        self._happened(EventKind.PROCESS_ENDED, key, cause, self._addresses[address])

    def node_changed(self, node: str, status: NodeStatus, cause: str) -> None:
        """Add an event: the registry takes the node for something else."""
        self._happened(EventKind.NODE_CHANGED, None, cause, flag=status_flag(status), subject=node)

    def scaled(self, model: str, replicas: int, cause: str) -> None:
        """Add an event: a decision to have more replicas, or fewer."""
        self._happened(EventKind.SCALED, None, cause, flag=replicas, subject=model)

    def fault_struck(self, kind: str, place: str) -> None:
        """Add an event: a fault took effect."""
        self._happened(EventKind.FAULT_STRUCK, None, kind, subject=place)

    def _beginning(self, request: Request) -> tuple[int, int]:
        return self._requests[request.id * _REQUEST_WIDTH + _REPLICA], request.chain[0]

    def _happened(
        self,
        kind: EventKind,
        key: ReplicaKey | None,
        cause: str = "",
        address: int = MISSING,
        request: int = MISSING,
        flag: int = MISSING,
        subject: str = "",
    ) -> None:
        replica = MISSING if key is None else self._replicas[key]
        cause_code = self._causes[cause] if cause else MISSING
        subject_code = self.records.subjects[subject] if subject else MISSING
        self.records.events.append(
            next(self._seq), self._clock.now_ns(), kind, replica, address, request, cause_code, flag, subject_code
        )
