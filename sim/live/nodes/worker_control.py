"""Workers called from another process: one connection on a Unix socket for each call, a line of JSON each way.

A caller that leaves closes its connection, and the call is cancelled, just as in one process.
"""

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sim.routing import errors
from sim.routing.errors import CallError, Unavailable
from sim.routing.ports import RunningProcess, WorkerControl
from sim.routing.replica import ReplicaKey

ERRORS: Mapping[str, type[CallError]] = {
    name: kind for name, kind in vars(errors).items() if isinstance(kind, type) and issubclass(kind, CallError)
}
"""Every error that a port may raise, by name."""

CONNECT_LIMIT_S = 1.0

_CALLS: Mapping[str, Callable[..., Awaitable[Any]]] = {
    "install": lambda workers, key: workers.install(ReplicaKey(*key)),
    "stop": lambda workers, key: workers.stop(ReplicaKey(*key)),
    "unload": lambda workers, node, model: workers.unload(node, model),
    "processes": lambda workers, node: workers.processes(node),
}
"""The calls that other processes may make, by name."""


class RemoteWorkers:
    """The workers of another process on this machine. Every call raises Unavailable if they have gone."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def install(self, key: ReplicaKey) -> str:
        return str(await self._ask("install", key))

    async def stop(self, key: ReplicaKey) -> None:
        await self._ask("stop", key)

    async def unload(self, node: str, model: str) -> None:
        await self._ask("unload", node, model)

    async def processes(self, node: str) -> Sequence[RunningProcess]:
        """List the processes of the node."""
        return [RunningProcess(ReplicaKey(*key), address) for key, address in await self._ask("processes", node)]

    def is_alive(self, address: str) -> bool:
        """Tell whether a process listens at the address, be it well or not."""
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), CONNECT_LIMIT_S).close()
        except OSError:
            return False
        return True

    async def _ask(self, call: str, *args: Any) -> Any:
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError as error:
            raise Unavailable(f"no workers answer at {self._path}: {error}") from error
        try:
            writer.write(json.dumps([call, *args]).encode() + b"\n")
            answer = await reader.readline()
        except OSError as error:
            raise Unavailable(f"the workers at {self._path} have gone: {error}") from error
        finally:
            writer.close()
        return self._read(answer)

    def _read(self, answer: bytes) -> Any:
        if not answer:
            raise Unavailable(f"the workers at {self._path} have gone")
        match json.loads(answer):
            case {"answer": value}:
                return value
            case {"error": str(kind), "text": str(text)}:
                raise ERRORS.get(kind, CallError)(text)
        raise CallError(f"the workers at {self._path} answer {answer!r}")


async def serve_workers(workers: WorkerControl, path: Path) -> asyncio.Server:
    """Answer `RemoteWorkers` at the path until the server is closed."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if asked := await reader.readline():
                said = await _answer_unless_left(workers, json.loads(asked), reader)
                writer.write(json.dumps(said).encode() + b"\n")
        finally:
            writer.close()

    return await asyncio.start_unix_server(answer, path)


async def _answer_unless_left(
    workers: WorkerControl, asked: list[Any], reader: asyncio.StreamReader
) -> dict[str, Any] | None:
    call = asyncio.create_task(_answer(workers, *asked))
    left = asyncio.create_task(reader.read())
    try:
        await asyncio.wait({call, left}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        left.cancel()
        call.cancel()
    # A cancelled call is waited for, so that nothing is half started when the connection closes.
    await asyncio.wait({call})
    return None if call.cancelled() else call.result()


async def _answer(workers: WorkerControl, call: str, *args: Any) -> dict[str, Any]:
    try:
        return {"answer": await _CALLS[call](workers, *args)}
    except CallError as error:
        return {"error": type(error).__name__, "text": str(error)}
