"""What a world must provide for the routing code to run in it: clock, tasks, registry, backends, workers, journal."""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol, TypeVar

from sim.routing.fleet import NodeStatus
from sim.routing.outcomes import Answer, Outcome, ProbeOutcome
from sim.routing.registry import Registry
from sim.routing.replica import Replica, ReplicaKey
from sim.routing.request import Request

T = TypeVar("T")


class Clock(Protocol):
    """Time, as whole nanoseconds."""

    def now_ns(self) -> int:
        """Return the monotonic time."""

    def wall_ns(self) -> int:
        """Return the time this frontend would write in a database; it may be skewed against other frontends."""


class Future(Protocol[T]):
    """An answer that one task waits for and another one gives, once."""

    def done(self) -> bool:
        """Return whether the answer was given, or its waiter has gone."""

    def set_result(self, result: T, /) -> None:
        """Give the answer."""

    def set_exception(self, error: BaseException, /) -> None:
        """Give an error, which is raised where the answer is awaited."""

    def __await__(self) -> Generator[Any, Any, T]:
        """Wait for the answer."""


class Task(Protocol):
    """A coroutine that runs on its own."""

    def cancel(self) -> object:
        """Raise the world's cancellation where the task waits; do nothing if it has ended."""

    def done(self) -> bool:
        """Return whether it has ended."""


class Runtime(Clock, Protocol):
    """Time that passes, and tasks that run meanwhile."""

    def sleep(self, delay_ns: int) -> Awaitable[None]:
        """Wait; `delay_ns` is a whole number, not negative."""

    def spawn(self, work: Coroutine[Any, Any, Any], name: str) -> Task:
        """Run the coroutine as a task of its own, which the world keeps alive until it ends."""

    def future(self) -> Future[Any]:
        """Make an answer that is not given yet."""

    async def within(self, limit_ns: int, work: Coroutine[Any, Any, T]) -> T:
        """Return what the coroutine returns, or cancel it after `limit_ns` and raise DeadlineExceeded."""


class Backend(Protocol):
    """A client bound to one backend process. Each call raises a CallError if it is not answered as asked."""

    async def health(self) -> None:
        """Return if the process answers that it is well."""

    async def predict(self, request: Request) -> None:
        """Serve the request to its last token."""

    async def free(self) -> None:
        """Make the process drop its model; the call waits for its turn as a health call does."""

    async def load_model(self, model: str) -> None:
        """Load the model into the process; the call waits its turn behind running requests."""


class Dialer(Protocol):
    """Makes clients."""

    def dial(self, key: ReplicaKey, address: str) -> Backend:
        """Return a client for the process at the address, taken to be that replica's."""


class RunningProcess(NamedTuple):
    """A line of a worker's process table."""

    key: ReplicaKey
    address: str


class WorkerControl(Protocol):
    """Starts and ends backend processes on nodes. Raises Unavailable if the node's worker does not answer."""

    async def install(self, key: ReplicaKey) -> str:
        """Return the address of the replica's process, started first if it does not run.

        Raises a CallError if the process cannot be started.
        """

    async def stop(self, key: ReplicaKey) -> None:
        """End the replica's process; do nothing if it does not run."""

    async def unload(self, node: str, model: str) -> None:
        """Make one process of the node drop its model, without ending it.

        The call names no address: the worker takes the first process it knows, whatever its model.
        """

    async def processes(self, node: str) -> Sequence[RunningProcess]:
        """List the node's processes that run and are not being stopped."""


class Journal:
    """Where decisions are recorded as they are taken. It never answers, so nothing can depend on it.

    This one ignores every call. A subclass overrides the calls it wants to hear.
    """

    def arrived(self, request: Request) -> None:
        """A client sent the request."""

    def chose(self, request: Request, replicas: Sequence[Replica], chosen: Replica | None) -> None:
        """The policy took one of these rows as one statement saw them, or none. The registry may ask it again.

        A simulated world tells it, and only if somebody listens; the rows change afterwards.
        """

    def picked(self, request: Request, replica: Replica, remembered: Answer | None) -> None:
        """The registry chose the replica, shown as it was before the pick, and the probe cache remembers this of it."""

    def vouched(self, request: Request, answer: Answer) -> None:
        """A replica that the probe cache did not remember was found alive or dead by a probe."""

    def probed(
        self, request: Request | None, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome
    ) -> None:
        """A probe that was sent to the address at `started_ns` has ended now.

        It was sent for the request, or by a background loop if there is none.
        """

    def checked(self, request: Request, key: ReplicaKey, address: str, started_ns: int, outcome: ProbeOutcome) -> None:
        """A liveness check of the frontend's own client, made for the request since `started_ns`, has ended now."""

    def lock_taken(self, request: Request, lock: str) -> None:
        """The request holds the frontend's lock of this name from now on."""

    def lock_released(self, request: Request, lock: str) -> None:
        """It holds it no longer."""

    def routed(self, request: Request, key: ReplicaKey) -> None:
        """The request has its route and is about to be sent to the backend."""

    def served_from(self, request: Request) -> None:
        """The backend has started to work on the request."""

    def recalled(self, request: Request, blocks: int) -> None:
        """The backend has found so many blocks at the beginning of the request's prompt in its cache."""

    def first_token(self, request: Request) -> None:
        """The backend has given the first token."""

    def served_until(self, request: Request) -> None:
        """The backend's work on the request has ended; its client hears of that when the answer has reached it."""

    def retried(self, request: Request, key: ReplicaKey, cause: str) -> None:
        """The request's call to the replica has failed, and the request is about to be routed again."""

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """The request ended for its client; `cause` is empty when it completed."""

    def left_behind(self, key: ReplicaKey, count: int) -> None:
        """So many counts stay on the replica's row although their request has ended, since no call gave them back.

        A negative number is of counts that were told of before, and are given back after all.
        """

    def counted_apart(self, key: ReplicaKey, count: int) -> None:
        """A frontend that keeps its own counts has added `count` to that of the replica; a negative one takes away.

        The row hears of it later, or never.
        """

    def row_published(self, key: ReplicaKey, cause: str) -> None:
        """A row was written as loaded."""

    def row_removed(self, key: ReplicaKey, address: str, cause: str, request: Request | None) -> None:
        """A row was deleted, for the request's sake if one is given."""

    def install_started(self, key: ReplicaKey, redundant: bool) -> None:
        """A worker was asked for the process; redundant if it runs already."""

    def load_started(self, key: ReplicaKey, redundant: bool) -> None:
        """A process was asked to load the model; redundant if it holds it already."""

    def load_ended(self, key: ReplicaKey, failure: str) -> None:
        """The load ended; `failure` is empty when it succeeded."""

    def lock_waited(self, wait_ns: int) -> None:
        """A registry transaction had to wait that long for a lock."""

    def process_ended(self, key: ReplicaKey, address: str, cause: str) -> None:
        """A backend process is there no longer."""

    def node_changed(self, node: str, status: NodeStatus, cause: str) -> None:
        """The registry takes the node for something else from now on."""

    def scaled(self, model: str, replicas: int, cause: str) -> None:
        """A pass decided to add replicas of the model, or to take some away if the number is negative."""

    def fault_struck(self, kind: str, place: str) -> None:
        """A fault of the scenario took effect on a node, a frontend, a replica or a port."""


@dataclass(frozen=True, slots=True)
class FrontendPorts:
    """All that one frontend reaches its world through."""

    runtime: Runtime
    registry: Registry
    dialer: Dialer
    worker: WorkerControl
    journal: Journal
    lasting: Runtime | None = None
    """Runs what is not to end with the requests if these are cut off; None if they never are."""


Probe = Callable[[], Awaitable[bool]]
"""One health call: True if the replica may go on serving."""
