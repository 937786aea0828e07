"""The states of nodes and of replicas' rows, as the registry names them."""

from collections.abc import Collection, Mapping
from enum import StrEnum


class NodeStatus(StrEnum):
    """What the registry records about a node."""

    REGISTERING = "registering"
    PENDING = "pending"
    HEALTHY = "healthy"
    UNHEALTHY = "unhealthy"
    """Routing passes it over; its rows stay."""
    OFFLINE = "offline"
    """Its heartbeat has been missing; its rows are deleted."""
    DRAINING = "draining"
    """Taken out of service by hand; its rows are deleted."""


ROWS_DELETED: Mapping[NodeStatus, bool] = {
    status: status in (NodeStatus.OFFLINE, NodeStatus.DRAINING) for status in NodeStatus
}
"""Whether a node that gets the status loses its rows."""


class RowState(StrEnum):
    """What a replica's row says of its process; only loaded ones are picked."""

    STAGING = "staging"
    LOADING = "loading"
    LOADED = "loaded"
    UNLOADING = "unloading"
    """Its model has a newer revision: the row holds no slot, and is deleted once its process has ended."""
    IDLE = "idle"


OVERTAKEN: Collection[RowState] = (RowState.STAGING, RowState.LOADING, RowState.LOADED)
"""States of the rows that a new revision of their model turns into unloading."""
