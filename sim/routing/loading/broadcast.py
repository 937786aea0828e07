"""How those who wait on one frontend hear that a load has ended."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sim.routing.errors import DeadlineExceeded
from sim.routing.ports import Future, Runtime


class Signal:
    """Something that happens once. The one task that waits for it may give up and wait again without missing it."""

    __slots__ = ("_answer", "_has_come", "_runtime")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._answer: Future[None] | None = None
        self._has_come = False

    def give(self) -> None:
        """Have it happen, if it has not happened yet."""
        self._has_come = True
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(None)

    async def wait(self) -> None:
        """Return once it has happened."""
        if self._has_come:
            return
        # An answer for each wait: one that is given up may take its answer along.
        self._answer = self._runtime.future()
        await self._answer

    async def within(self, limit_ns: int) -> bool:
        """Wait for it, but no longer than the limit; tell whether it has happened."""
        with suppress(DeadlineExceeded):
            await self._runtime.within(limit_ns, self.wait())
        return self._has_come


class Broadcast:
    """Tells those on one frontend who wait for a model's load that it has ended, in the order they came."""

    __slots__ = ("_listeners", "_runtime")

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._listeners: dict[str, dict[Signal, None]] = {}

    @contextmanager
    def listening(self, model: str) -> Iterator[Signal]:
        """Listen for the time of the `with`, to the one signal it yields; whoever leaves disturbs nobody."""
        closed = Signal(self._runtime)
        listeners = self._listeners.setdefault(model, {})
        listeners[closed] = None
        try:
            yield closed
        finally:
            del listeners[closed]

    def close(self, model: str) -> None:
        """Give everyone who listens now the signal; whoever comes later hears the next one."""
        for closed in self._listeners.get(model, ()):
            closed.give()
