"""What a router asks of a policy, request by request, and the built-in policies that see the rows themselves."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Sequence
from typing import ClassVar, Protocol

from sim.routing.replica import Replica
from sim.routing.request import Request


class Choose(Protocol):
    nodes: Collection[str]
    order: str | None

    def __call__(self, replicas: Sequence[Replica]) -> Replica | None:
        """Choose."""


class Chooser(Protocol):
    """How a frontend chooses, request by request."""

    @property
    def listens(self) -> bool:
        """Whether it wants to be told what becomes of its picks."""

    def choice(self, request: Request, nodes: Collection[str]) -> Choose:
        """Return what the registry is to ask for this request, among the rows of these nodes; of all if there are none."""


class RowPolicy(ABC):
    """A built-in policy that sees the rows themselves, without views and checks, for speed."""

    listens: ClassVar[bool] = False

    @abstractmethod
    def choice(self, request: Request, nodes: Collection[str]) -> Choose:
        """Return what the registry is to ask for this request, among the rows of these nodes; of all if there are none."""
