"""The steps that the versions have in common, as the story world tells them."""

LOOK = ["locked [frontend]", "unlocked [frontend]"]
"""A step at which the frontend's one lock is taken and given back at once."""

SERVED = ["increment", "predict a#0", "decrement 2", "COMPLETED"]
"""A client's first call: its end takes the pick's 1 back as well, before the answer returns."""

SHARED = "m, shared"
"""The lock of the model, as routes and checks hold it since July 2026."""

BOTH = f"{SHARED}, client of m"
"""That lock and the one of the client that is asked."""


def under(locks: str, *steps: str) -> list[str]:
    """Return the steps, each done while these locks are held."""
    return [f"{step} [{locks}]" for step in steps]


def unloading(freed: str, nodes: str = "ab") -> list[str]:
    """Return how a model is unloaded on every node, beginning with the process of the kept client."""
    stops = ((f"stop {node}#0", "remove", f"row of {node}#0 removed") for node in nodes)
    return [f"free {freed}#0", "fleet", *(step for steps in stops for step in steps)]


def coarsely_checked(outcome: str = "OK", *then: str) -> list[str]:
    """Return the steps of a check under the frontend's one lock."""
    return under("frontend", "locked", "health a#0", f"checked: {outcome}", *then, "unlocked")


def finely_checked(outcome: str = "OK", *then: str) -> list[str]:
    """Return the steps of a check under the model's lock and the client's own."""
    asked = under(BOTH, "locked", "health a#0", f"checked: {outcome}", *then, "unlocked")
    return [f"locked [{SHARED}]", *asked, f"unlocked [{SHARED}]"]
