"""A request as it travels from its client to a backend."""

from dataclasses import dataclass, fields

UNSENT = -1
"""The id of a request that is planned and not sent yet."""

Chain = tuple[int, ...]
"""A prompt's blocks from its beginning, each as a hash of itself and all blocks before it."""


@dataclass(slots=True)
class Request:
    """One inference request, planned before the run and the same for every policy that serves it.

    Clients give it its id when they send it; nobody else changes it. It is not frozen because Python makes frozen
    objects at a third of the speed. A new field is one line at the end, with a default for workloads that do not give
    it: plans, records and tables have a column for each field.
    """

    id: int
    """Place in the order of arrival, from 0."""
    model: str
    frontend: int
    """Index of the frontend that takes the request."""
    source: int
    """Index of the workload that the request belongs to."""
    arrival_ns: int
    prompt_tokens: int = 0
    output_tokens: int = 0
    demand_ns: int = 0
    """Service time on a node of speed 1, where it is drawn rather than derived from tokens."""
    patience_ns: int | None = None
    """How long after its arrival the client waits before it leaves; None waits for ever."""
    chain: Chain = ()
    """Blocks of the prompt; none where the workload says nothing of prompts."""


PLANNED = tuple(field.name for field in fields(Request))[1:]
"""The fields that a plan gives: all but the id, in order."""

COLUMNS = tuple(name for name in PLANNED if name not in ("patience_ns", "chain"))
"""Those that are recorded: the model first, then whole numbers that differ from request to request of a workload."""

OPTIONAL = frozenset(field.name for field in fields(Request) if field.default == 0)
"""Those that are 0 where a workload does not give them."""
