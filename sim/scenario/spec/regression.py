"""What a scenario of the regression corpus says about itself."""

from typing import Annotated, Literal

from pydantic import StringConstraints

from sim.scenario.spec.base import Spec

DecidedBy = Literal[
    "policy",
    "pick_mode",
    "client_cache",
    "probes",
    "in_flight",
    "placement",
    "loading",
    "unloading",
    "background_loops",
    "retries",
    "worker",
]
"""Parts of a router, and of what it steers, that can break the balance."""
Sentence = Annotated[str, StringConstraints(min_length=1, max_length=200)]


class Regression(Spec):
    """A known way to break the balance, which the scenario shows in one variant and not in another."""

    symptom: Sentence
    """What people see, in one sentence."""
    metric: str
    """Name of the metric that shows it."""
    broken: str
    """Variant that has the symptom."""
    repaired: str
    """Variant that does not have it. Its expectations say so, and the broken one fails them."""
    source: Sentence
    """Where it was found: the project, with a pull request, an issue or a commit."""
    decided_by: DecidedBy
    """Part of the router that brings it about."""
    check_in: str | None = None
    """Variant in which `sim check` puts another policy; none if a policy cannot bring the symptom about."""
    family_limit: bool = False
    """Whether it is a limit that a whole family of policies has, rather than a mistake."""
