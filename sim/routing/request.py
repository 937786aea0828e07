"""A request as it travels from its client to a backend."""

from dataclasses import dataclass


@dataclass(slots=True)
class Request:
    """One inference request: drawn when the plan is made, the same for every policy that serves it.

    Nobody changes it; it is not frozen because Python makes frozen objects at a third of the speed.
    """

    id: int
    """Place in the order of arrival, from 0."""
    model: str
    frontend: int
    """Index of the frontend that takes the request."""
    source: int
    """Index of the workload that the request belongs to."""
    arrival_ns: int
    prompt_tokens: int
    """0 where the workload gives no tokens."""
    output_tokens: int
    demand_ns: int
    """Service time on a node of speed 1, where it is drawn rather than derived from tokens; else 0."""
    patience_ns: int | None = None
    """How long after its arrival the client waits before it leaves; None waits for ever."""
