"""How the requests that wait on one frontend learn that a load has ended."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sim.routing.errors import DeadlineExceeded
from sim.routing.ports import Future, Runtime


class Signal:
    """An event that happens once. The one task that waits for it may give up and wait again without missing it."""

    __slots__ = ("_answer", "_has_come", "_runtime")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._answer: Future[None] | None = None
        self._has_come = False

    def give(self) -> None:
        """Let it happen, unless it already has."""
        self._has_come = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    async def wait(self) -> None:
        """Return once it has happened."""
        if self._has_come:
            return
        # A future for each wait: a wait that is given up may cancel its future.
        self._answer = self._runtime.future()
        await self._answer

    async def within(self, limit_ns: int) -> bool:
        """Wait for it, but no longer than the limit; return whether it has happened."""
        with suppress(DeadlineExceeded):
            await self._runtime.within(limit_ns, self.wait())
        return self._has_come


class Broadcast:
    """Tells those who wait on one frontend for a model's load that it has ended, in the order in which they came."""

    __slots__ = ("_listeners", "_runtime")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._listeners: dict[str, dict[Signal, None]] = {}

    @contextmanager
    def listening(self, model: str) -> Iterator[Signal]:
        """Yield a signal that `close` gives, as long as the `with` lasts; a listener that leaves disturbs no other."""
        closed = Signal(self._runtime)
        listeners = self._listeners.setdefault(model, {})
        listeners[closed] = None
        try:
            yield closed
        finally:
            del listeners[closed]

    def close(self, model: str) -> None:
        """Give their signals to those who listen now; those who come later get the next one."""
        for closed in self._listeners.get(model, ()):
            closed.give()
