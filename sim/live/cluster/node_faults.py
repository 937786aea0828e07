"""Faults of a whole node, applied to its processes."""

import os
import signal

from sim.live.nodes.worker import LiveWorkers


class NodeFaults:
    """Takes nodes down, freezes them, cuts their connections, and knows which of them send heartbeats."""

    def __init__(self, workers: LiveWorkers) -> None:
        self._workers = workers
        self._paused: dict[str, None] = {}

    def is_heard(self, node: str) -> bool:
        """Tell whether the node sends heartbeats."""
        return node not in self._workers.down and node not in self._paused

    def take_down(self, node: str) -> None:
        """Kill every process of the node. It answers nothing and starts none until `bring_up`."""
        self._workers.down[node] = None
        for key in self._workers.keys_on(node):
            self._workers.kill(key, "crashed")

    def bring_up(self, node: str) -> None:
        """Let the node answer again."""
        self._workers.down.pop(node, None)

    def pause(self, node: str) -> None:
        """Freeze every process of the node."""
        self._paused[node] = None
        self._signal(node, signal.SIGSTOP)

    def resume(self, node: str) -> None:
        """Continue the node's processes where they were."""
        self._paused.pop(node, None)
        self._signal(node, signal.SIGCONT)

    def reset_connections(self, node: str) -> None:
        """Make every process of the node cut its connections, running calls included, and listen again."""
        for key in self._workers.keys_on(node):
            self._workers.order(key, "reset")

    async def stop_at_once(self, node: str) -> None:
        """End every process of the node, running calls included."""
        for key in self._workers.keys_on(node):
            await self._workers.stop(key)

    async def stop_when_idle(self, node: str) -> None:
        """Let every process of the node end when its calls have ended, after a minute at the latest."""
        for key in self._workers.keys_on(node):
            self._workers.order(key, "drain")

    def _signal(self, node: str, number: int) -> None:
        for key in self._workers.keys_on(node):
            os.kill(self._workers.pid(key), number)
