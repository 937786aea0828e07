"""A process that has workers, for tests that end it in different ways: `python -m tests.live.nodes.supervisor WAY`."""

import asyncio
import signal
import sys
from pathlib import Path

from tests.live.workers import DRAWN, LONG_MS, OTHER, LiveWorld, live_world, model_spec
from tests.waiting import until


async def supervise(way: str) -> None:
    """Start two workers, one busy and one hung, print their numbers, and leave in that way."""
    async with live_world() as world:
        busy = world.predict(await world.loaded(), LONG_MS)
        await world.workers.start(OTHER)
        world.workers.hang(OTHER)
        await until("service", lambda: world.journal.of("served_from"))
        print(*world.pids(), flush=True)
        match way:
            case "exception":
                raise LookupError("as the test wants it")
            case "exit":
                sys.exit(3)
            case "wait":
                await busy
        busy.cancel()


async def forget() -> None:
    """Start a worker outside `async with`, and leave without stopping it."""
    world = LiveWorld(1.0, None, model_spec(DRAWN, {}))
    await world.loaded()
    print(*world.pids(), flush=True)


async def serve(path: str) -> None:
    """Let other processes install, until the input ends."""
    async with live_world(install_time="500ms") as world:
        await world.workers.serve(Path(path))
        print("serving", flush=True)
        await asyncio.to_thread(sys.stdin.read)
        print(*(redundant for _, _, redundant in world.journal.of("install_started")), flush=True)


if __name__ == "__main__":
    # A shell that starts the tests in the background has its children ignore the interrupt.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    if sys.argv[1] == "serve":
        asyncio.run(serve(sys.argv[2]))
    elif sys.argv[1] == "forget":
        asyncio.run(forget())
    else:
        asyncio.run(supervise(sys.argv[1]))
