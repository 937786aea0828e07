"""How the models of a replica pass follow one another."""

from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import Protocol

from sim.routing.errors import CallError
from sim.routing.loading.broadcast import Signal
from sim.routing.ports import FrontendPorts
from sim.routing.settings import ModelConfig

Scale = Callable[[ModelConfig], Awaitable[None]]
"""Brings a model to the number of replicas that it should have. Raises the CallError of a registry that fails."""


class Turns(Protocol):
    """One frontend's order."""

    async def scale_all(self, models: Sequence[ModelConfig], scale: Scale) -> None:
        """Give each model its turn; raise the CallError that ends the pass."""


NewTurns = Callable[[FrontendPorts, int], Turns]
"""Given how long, in ns, a pass waits for loads."""


LOCK = "replica-reconciler"
"""The advisory lock of a pass in sequence. The lock of a turn side by side has the model's name behind it."""


class InSequence:
    """A model's turn comes when the loads of the one before have ended, however long they take. LocalAI's way.

    The pass holds a lock, for which the passes of other frontends wait. So while a worker does not answer an install,
    which may be for 15 minutes, no frontend scales any model or compares a row with its process.
    """

    __slots__ = ("_registry",)

    def __init__(self, ports: FrontendPorts, _limit_ns: int) -> None:
        """The limit does not matter."""
        self._registry = ports.registry

    async def scale_all(self, models: Sequence[ModelConfig], scale: Scale) -> None:
        """Scale one model after the other. A registry that fails ends the pass."""
        async with self._registry.lock(LOCK):
            for model in models:
                await scale(model)


class SideBySide:
    """Turns follow one another up to the limit of their pass; then they go on side by side, beyond its end. Repaired.

    A placement then sees what the one before has loaded, if that took a usual time. A turn holds a lock of its model:
    while it is under way, the model has no other on any frontend, and other models wait for none of it.
    """

    __slots__ = ("_limit_ns", "_registry", "_runtime")

    def __init__(self, ports: FrontendPorts, limit_ns: int) -> None:
        self._runtime = ports.runtime
        self._registry = ports.registry
        self._limit_ns = limit_ns

    async def scale_all(self, models: Sequence[ModelConfig], scale: Scale) -> None:
        """Begin a turn of each model. A registry that fails ends a turn, not the pass."""
        until_ns = self._runtime.now_ns() + self._limit_ns
        for model in models:
            ended = Signal(self._runtime)
            self._runtime.spawn(self._take_turn(model, scale, ended), f"scale {model.name}")
            await ended.within(max(0, until_ns - self._runtime.now_ns()))

    async def _take_turn(self, model: ModelConfig, scale: Scale, ended: Signal) -> None:
        try:
            with suppress(CallError):
                async with self._registry.try_lock(f"{LOCK}:{model.name}") as is_ours:
                    if is_ours:
                        await scale(model)
        finally:
            ended.give()
