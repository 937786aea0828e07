"""What stops a run whose clock stands still: an error that says where, and who goes round in circles."""

MOST_EVENTS_AT_ONCE = 100_000
"""Number of events that one instant may have in any run; what a scenario is made of comes on top."""
MOST_EVENTS_FOR_EACH = 100
"""Number of events that one instant may have for each request, user and possible row."""


class Livelock(Exception):
    """The run cannot end: event follows event, and time does not pass."""


def most_events_at_once(members: int) -> int:
    """Return the number of events that one instant may have if so many requests, users and rows take part in it."""
    return MOST_EVENTS_AT_ONCE + MOST_EVENTS_FOR_EACH * members
