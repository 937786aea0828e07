"""The calls that a live frontend has under way, as their callers see them."""

import asyncio
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from sim.live.proto.backend_pb2 import Reply
from sim.routing.errors import Unavailable
from sim.routing.outcomes import Outcome
from sim.routing.ports import Journal
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request


@dataclass(slots=True, eq=False)
class Call:
    """One prompt under way, and its result so far."""

    task: asyncio.Task[None]
    prompt: str
    hear: Callable[[bytes], None]
    began_ns: int
    first_ns: int = 0
    pieces: int = 0
    tokens: int = 0
    replica: ReplicaKey | None = None
    error: BaseException | None = None

    def take(self, reply: Reply, now_ns: int) -> None:
        """Add a piece of the answer."""
        if not self.pieces:
            self.first_ns = now_ns
        self.pieces += 1
        # Backends report the number of tokens so far, with every piece or with the last.
        self.tokens = max(self.tokens, reply.tokens)
        self.hear(reply.message)

    async def outcome(self) -> ReplicaKey:
        """Wait for the end, and return who served the call or raise what ended it."""
        try:
            await self.task
        except asyncio.CancelledError as error:
            caller = asyncio.current_task()
            if caller is None or caller.cancelling():
                raise
            raise Unavailable("the frontend was closed") from error
        if self.error is not None:
            raise self.error
        if self.replica is None:
            raise RuntimeError("a call was served without a route")
        return self.replica


class CallNotes(Journal):
    """Notes for the caller where a call went and why it failed."""

    def __init__(self, calls: Mapping[int, Call]) -> None:
        self._calls = calls

    def routed(self, request: Request, key: ReplicaKey) -> None:
        """Note the replica."""
        self._calls[request.id].replica = key

    def ended(self, request: Request, outcome: Outcome, cause: str) -> None:
        """Keep the exception: the routing code reports a failure while it handles it, and does not raise it again."""
        self._calls[request.id].error = sys.exception()
