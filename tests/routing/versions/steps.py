"""The steps that the versions have in common, as the story world tells them."""

LOOK = ["locked [frontend]", "unlocked [frontend]"]
"""A step at which the frontend's one lock is taken and given back at once."""

SERVED = ["increment", "predict a#0", "decrement 2", "COMPLETED"]
"""A client's first call: its end takes the pick's 1 back as well, before the answer returns."""


def under(locks: str, *steps: str) -> list[str]:
    """Return the steps, each done while these locks are held."""
    return [f"{step} [{locks}]" for step in steps]


def unloading(freed: str, nodes: str = "ab") -> list[str]:
    """Return how a model is unloaded on every node, beginning with the process of the kept client."""
    stops = ((f"stop {node}#0", "remove", f"row of {node}#0 removed") for node in nodes)
    return [f"free {freed}#0", "fleet", *(step for steps in stops for step in steps)]
