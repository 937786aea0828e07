"""Installs asked for from another process: one connection on a Unix socket for each, a line of JSON each way.

A caller that leaves closes its connection, and the install is cancelled, just as in one process.
"""

import asyncio
import json
import socket
from pathlib import Path

from sim.routing import errors
from sim.routing.errors import CallError, Unavailable
from sim.routing.ports import WorkerControl
from sim.routing.replica import ReplicaKey

ERRORS: dict[str, type[CallError]] = {
    kind.__name__: kind
    for kind in (
        errors.CallError,
        errors.DeadlineExceeded,
        errors.Unavailable,
        errors.ModelNotLoaded,
        errors.WrongModel,
        errors.NoReplica,
        errors.Busy,
    )
}

CONNECT_LIMIT_S = 1.0


class RemoteWorkers:
    """The workers of another process on this machine."""

    def __init__(self, path: Path) -> None:
        self._path = path

    async def install(self, key: ReplicaKey) -> str:
        """Return the address of the replica's process, as those workers do; Unavailable if they have gone."""
        try:
            reader, writer = await asyncio.open_unix_connection(self._path)
        except OSError as error:
            raise Unavailable(f"no workers answer at {self._path}: {error}") from error
        try:
            writer.write(json.dumps(key).encode() + b"\n")
            answer = await reader.readline()
        except OSError as error:
            raise Unavailable(f"the workers at {self._path} have gone: {error}") from error
        finally:
            writer.close()
        return self._read(answer)

    def is_alive(self, address: str) -> bool:
        """Tell whether a process listens at the address, be it well or not."""
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host, int(port)), CONNECT_LIMIT_S).close()
        except OSError:
            return False
        return True

    def _read(self, answer: bytes) -> str:
        if not answer:
            raise Unavailable(f"the workers at {self._path} have gone")
        match json.loads(answer):
            case {"address": str(address)}:
                return address
            case {"error": str(kind), "text": str(text)}:
                raise ERRORS.get(kind, CallError)(text)
        raise CallError(f"the workers at {self._path} answer {answer!r}")


async def serve_installs(workers: WorkerControl, path: Path) -> asyncio.Server:
    """Answer `RemoteWorkers` at the path until the server is closed."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if asked := await reader.readline():
                said = await _install_unless_left(workers, ReplicaKey(*json.loads(asked)), reader)
                writer.write(json.dumps(said).encode() + b"\n")
        finally:
            writer.close()

    return await asyncio.start_unix_server(answer, path)


async def _install_unless_left(
    workers: WorkerControl, key: ReplicaKey, reader: asyncio.StreamReader
) -> dict[str, str] | None:
    install = asyncio.create_task(_install(workers, key))
    left = asyncio.create_task(reader.read())
    try:
        await asyncio.wait({install, left}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        left.cancel()
        install.cancel()
    # A cancelled install is waited for, so that nothing is half started when the connection closes.
    await asyncio.wait({install})
    return None if install.cancelled() else install.result()


async def _install(workers: WorkerControl, key: ReplicaKey) -> dict[str, str]:
    try:
        return {"address": await workers.install(key)}
    except CallError as error:
        return {"error": type(error).__name__, "text": str(error)}
