"""Named answers: how a replica was vouched for, how a probe ended, how a request ended."""

from enum import IntEnum
from typing import NamedTuple


class AnswerSource(IntEnum):
    """Where an answer about a replica came from."""

    NONE = 0
    """From nowhere: the route was reused without a check."""
    FRESH = 1
    """From memory: a probe succeeded less than the TTL ago."""
    SHARED = 2
    """From another caller's probe, joined before it ended."""
    PROBED = 3
    """From this caller's own probe."""


class Answer(NamedTuple):
    """What the probe cache says of a replica."""

    alive: bool
    source: AnswerSource


class ProbeOutcome(IntEnum):
    """How a health call ended."""

    OK = 0
    TIMEOUT = 1
    FAILED = 2
    """It was refused, or cut short because the caller that ran it left."""


class Outcome(IntEnum):
    """How a request ended for its client."""

    COMPLETED = 0
    FAILED = 1
    REJECTED = 2
    """Turned away before it was routed."""
    CANCELLED = 3
    """Its client left."""
