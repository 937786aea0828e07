"""A policy at work in one frontend: it is shown read-only views, and each of its answers is checked."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

from sim.routing.policies.choose import AnyReplica, Choose, Listener
from sim.routing.policies.port import PolicyError, ReplicaView, RequestView
from sim.routing.policies.prefix.pressure import Pressure
from sim.routing.replica import Replica
from sim.routing.request import Request

Pick = Callable[[Sequence[ReplicaView], RequestView], object]
Sent = Callable[[ReplicaView, RequestView], object]
Ended = Callable[[ReplicaView, RequestView, str, int], object]


def replica_view(replica: Replica) -> ReplicaView:
    """Return what a policy may see of a row."""
    key = replica.key
    return ReplicaView(
        replica.id,
        key.node,
        key.replica_index,
        replica.in_flight,
        replica.last_used_ns,
        replica.available_vram_bytes,
        replica.capacity,
    )


def request_view(request: Request) -> RequestView:
    """Return what a policy may see of a request."""
    return RequestView(request.id, request.model, request.prompt_tokens, request.chain)


class Picker:
    """Asks a policy and checks what it says; whatever goes wrong in it is raised as a PolicyError."""

    def __init__(self, label: str, pick: Pick, sent: Sent | None = None, ended: Ended | None = None) -> None:
        """`label` names the policy, and where it was chosen, in errors."""
        self._label = label
        self._pick = pick
        self._sent = sent
        self._ended = ended
        self.anywhere: Choose | None = None
        self.listener: Listener | None = None if sent is None and ended is None else self
        self.pressure: Pressure | None = None

    def choice(self, request: Request, nodes: Collection[str]) -> "PickerChoice":
        """Return what this request asks of the registry, among the rows on these nodes; on any node if empty."""
        return PickerChoice(self, request_view(request), nodes)

    def pick(self, replicas: Sequence[AnyReplica], request: RequestView) -> AnyReplica | None:
        """Return the replica that the policy picks; None if it takes none of them."""
        views = tuple(map(replica_view, replicas))
        chosen = self._ask("pick", self._pick, request, views, request)
        if chosen is None:
            return None
        if isinstance(chosen, ReplicaView) and chosen in views:
            return replicas[views.index(chosen)]
        raise PolicyError(
            f"{self._label} returned {_shown(chosen)} for {_named(request)}, which is none of the {len(views)} replicas"
            " that it was given; allowed: one of them, or None"
        )

    def sent(self, replica: ReplicaView, request: RequestView) -> None:
        """Tell the policy that the replica is about to get the request."""
        if self._sent is not None:
            self._ask("sent", self._sent, request, replica, request)

    def ended(self, replica: ReplicaView, request: RequestView, outcome: str, duration_ns: int) -> None:
        """Tell the policy that the request has ended."""
        if self._ended is not None:
            self._ask("ended", self._ended, request, replica, request, outcome, duration_ns)

    def _ask(self, method: str, call: Callable[..., object], request: RequestView, *arguments: Any) -> object:
        try:
            return call(*arguments)
        except PolicyError as error:  # It has the right words already.
            told = "asked for" if method == "pick" else "told of"
            raise PolicyError(f"{self._label}, {told} {_named(request)}, {error}") from error
        # A SystemExit as well: no policy may end the program.
        except (Exception, SystemExit) as error:
            where = f" of {method}" if method != "pick" else ""
            raise PolicyError(f"{self._label} raised {raised(error)}{where} for {_named(request)}") from error


class PickerChoice:
    """What one request asks of the registry: let the policy choose among the rows."""

    __slots__ = ("_picker", "_request", "nodes")

    order: str | None = None
    """No order in SQL stands for it."""

    def __init__(self, picker: Picker, request: RequestView, nodes: Collection[str]) -> None:
        self.nodes = nodes
        self._picker = picker
        self._request = request

    def __call__(self, replicas: Sequence[AnyReplica]) -> AnyReplica | None:
        """Return the row that the policy takes; None if it takes none."""
        return self._picker.pick(replicas, self._request)


def raised(error: BaseException) -> str:
    """Return on one line the error's type, its text, and where the code that was called raised it."""
    # The first frame is that of the caller.
    trace = error.__traceback__ and error.__traceback__.tb_next
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    text = f"{type(error).__name__}: {_shown(str(error), quote=False)}" if str(error) else type(error).__name__
    return text if trace is None else f"{text} ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})"


def _named(request: RequestView) -> str:
    return f"request {request.id} of {request.model}"


def _shown(value: object, quote: bool = True) -> str:
    """Return a value as one line that is not too long, whatever its own repr does."""
    try:
        text = repr(value) if quote else str(value)
    except Exception:
        text = f"a {type(value).__name__}"
    text = " ".join(text.split())
    return text if len(text) <= 120 else f"{text[:110]}..."
