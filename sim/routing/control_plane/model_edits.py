"""What a frontend does about replicas that run when somebody edits the options of their model."""

from typing import Protocol

from sim.routing.client_cache.failure_domain import unload_everywhere
from sim.routing.ports import FrontendPorts


class ModelEdits(Protocol):
    """Brings a model's replicas to the options that an edit has left."""

    async def edited(self, model: str, revision: str) -> None:
        """Hear that the model has new options, which are that revision. Raises the CallError of a failing registry."""


class UnloadOnEdit:
    """Unloads the model wherever it is loaded, so that the next request loads it anew. LocalAI's first way.

    A load under way is not seen: it ends with a replica that serves the options before the edit.
    """

    def __init__(self, ports: FrontendPorts) -> None:
        self._ports = ports

    async def edited(self, model: str, revision: str) -> None:
        """Stop every process that a row tells of, and ask nobody again."""
        await unload_everywhere(self._ports, model, None)


class ReviseOnEdit:
    """Writes down the revision: no row of another one is picked or published any more. LocalAI's later way.

    The reconciler stops the processes of the overtaken rows.
    """

    def __init__(self, ports: FrontendPorts) -> None:
        self._ports = ports

    async def edited(self, model: str, revision: str) -> None:
        """Advance the model's revision in one transaction."""
        await self._ports.registry.advance_revision(model, revision)
