"""The protocol as JSON Schema: what each line may hold, and what every key means."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, NonNegativeInt, PositiveFloat
from pydantic.json_schema import models_json_schema

from sim.programs.protocol import PROTOCOL


class _Line(BaseModel):
    # A later version may add keys. Whoever reads a line ignores those that it does not know.
    model_config = ConfigDict(use_attribute_docstrings=True, extra="allow", strict=True)


class Request(_Line):
    """A request as far as a router knows it before it is served."""

    id: NonNegativeInt
    """Its place in the order of arrival, from 0."""
    model: str
    prompt_tokens: NonNegativeInt
    """0 where the workload gives none."""
    chain: list[int]
    """Blocks of the prompt from its beginning, each as a hash of all up to it; none where the workload gives none."""


class Replica(_Line):
    """A replica as the registry shows it."""

    id: str
    """Of its row. A replica that is loaded again gets a new one."""
    node: str
    replica_index: NonNegativeInt
    """Among the replicas of this model on this node, from 0."""
    in_flight: NonNegativeInt
    """Reservations and running requests, as the registry counts them."""
    last_used_ns: int
    """When a request was last sent there."""
    available_vram_bytes: NonNegativeInt
    """Of the node."""
    capacity: PositiveFloat = 1.0
    """How fast it serves beside the model's other replicas, as its node has announced; 1 where none has."""


class Pick(_Line):
    """Asks which candidate gets the request. It is answered by one line, an Answer."""

    now_ns: int
    """Nanoseconds since the start of the run. Time stands still until the answer."""
    request: Request
    candidates: list[Replica]
    """In the registry's order; one at least."""


class Sent(_Line):
    """Tells that the request is about to be sent to the replica that was picked. It has no answer."""

    now_ns: int
    event: Literal["sent"]
    request: Request
    replica: Replica
    """As the pick saw it."""


class Ended(_Line):
    """Tells that such a request has ended. It has no answer."""

    now_ns: int
    event: Literal["ended"]
    request: Request
    replica: Replica
    """As the pick saw it."""
    outcome: Literal["completed", "failed", "cancelled"]
    duration_ns: NonNegativeInt
    """From `sent` to the end."""


class Answer(_Line):
    """The program's answer to a Pick, one line."""

    index: NonNegativeInt | None
    """Of the candidate, from 0; null to take none of them, which leaves the request to a cold load."""
    tell: list[Literal["sent", "ended"]] | None = None
    """The events that the program wants to be told of from now on; as before without the key, none at first."""


def protocol_schema() -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a line, whoever writes it."""
    _, schema = models_json_schema([(line, "validation") for line in (Pick, Sent, Ended, Answer)])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": f"Lines between sim and a program that picks, protocol {PROTOCOL}",
        "oneOf": [{"$ref": f"#/$defs/{line.__name__}"} for line in (Pick, Sent, Ended, Answer)],
        **schema,
    }
