"""One worker process, as the process that started it sees it."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import IO

from sim.live.nodes.worker_spec import WorkerSpec
from sim.routing.errors import Unavailable

COMMAND = (sys.executable, "-m", "sim.live.nodes.worker_process")


class WorkerChild:
    """A child process from its start to its end. Call `follow`, or its output is not read."""

    def __init__(self, spec: WorkerSpec, on_change: Callable[[], None]) -> None:
        self.address = ""
        """Empty until it listens."""
        self.model: str | None = None
        """The model that it holds by its own report."""
        self._on_change = on_change
        self._listens: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        # A group of its own, so that Ctrl-C in the terminal reaches only the parent, which then stops it in order.
        self._process = subprocess.Popen(
            COMMAND, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0
        )
        self.order(spec.to_line())

    @property
    def pid(self) -> int:
        """The process's number."""
        return self._process.pid

    def is_running(self) -> bool:
        """Tell whether the operating system knows the process."""
        return self._process.poll() is None

    async def listens(self) -> str:
        """Return the address once the process listens there; Unavailable if it ends before."""
        # Shielded, because a waiter that leaves would cancel the future that `follow` answers.
        return await asyncio.shield(self._listens)

    def order(self, line: str) -> None:
        """Write a line to the process; nothing happens if it has ended."""
        pipe = self._pipe(self._process.stdin)
        if not pipe.closed:
            with suppress(BrokenPipeError):
                pipe.write(line + "\n")
                pipe.flush()

    async def follow(self) -> None:
        """Read the process's output until it ends, then clean up after it."""
        lines = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(lines), self._pipe(self._process.stdout)
        )
        try:
            async for line in lines:
                self._hear(json.loads(line))
            # It has closed its output, so it is ending. This wait is too short to be worth a thread.
            self._process.wait()
        finally:
            transport.close()
            self._ended()

    def kill(self) -> None:
        """Kill the process. It has ended when this returns."""
        self._process.kill()
        self._process.wait()

    async def stop(self) -> None:
        """Let the process end by itself, and wait until it has."""
        # The end of its input ends it too, in case the signal arrived before it began to listen for it.
        with suppress(BrokenPipeError):
            self._pipe(self._process.stdin).close()
        self._process.terminate()
        await asyncio.to_thread(self._process.wait)

    def _hear(self, said: dict[str, str | None]) -> None:
        match said:
            case {"listening": str(address)}:
                self.address = address
                self._listens.set_result(address)
            case {"holds": model}:
                self._hold(model)

    def _ended(self) -> None:
        self._hold(None)
        with suppress(BrokenPipeError):
            self._pipe(self._process.stdin).close()
        if not self._listens.done():
            self._listens.set_exception(Unavailable(f"the process ended, with status {self._process.returncode}"))
            self._listens.exception()  # marks it as seen, should nobody be waiting

    def _hold(self, model: str | None) -> None:
        if model != self.model:
            self.model = model
            self._on_change()

    @staticmethod
    def _pipe(pipe: IO[str] | None) -> IO[str]:
        if pipe is None:
            raise RuntimeError("the process was started without its pipes")
        return pipe
