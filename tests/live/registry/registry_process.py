"""A process of its own that uses a registry: `python registry_process.py connect URL`, or `hold URL NAME`.

It tells each step on standard output, and `hold` keeps the lock until standard input ends or the process is killed.
"""

import asyncio
import sys

from sim.live.registry.connection import connect
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import NodeFacts


async def run(command: str, url: str, *names: str) -> None:
    """Carry the command out."""
    async with connect(url, AsyncioRuntime()) as registry:
        if command == "connect":
            await registry.register_node(NodeFacts("shared"))
            return
        async with registry.lock(*names):
            print("held", flush=True)
            await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(run(*sys.argv[1:]))
