"""What each replica served, beside an even share of the requests that arrived while it was ready."""

from dataclasses import dataclass

import numpy as np

from sim.measure.catalogue import View
from sim.measure.recording.records import MISSING
from sim.routing.outcomes import Outcome


@dataclass(frozen=True, slots=True)
class EvenShare:
    """One replica's part of the completed requests that could have gone to another replica as well."""

    replica: str
    """Its label."""
    requests: int
    """How many it served."""
    offered: int
    """How many arrived while it was ready."""
    even: float
    """How many it would have served on average, had each gone to any replica that was ready at its arrival."""


def even_shares(view: View, model: str) -> list[EvenShare]:
    """Return the share of every replica that the model's requests could go to, in the order of the replicas' codes.

    Counted are completed requests that arrived in the view's window while two replicas or more were ready, the one that
    served them among them. So a replica that comes late or goes early is held only to what it could have had.
    """
    requests = view.requests
    is_counted = (requests["model"] == view.records.models.get(model, MISSING)) & (requests["replica"] != MISSING)
    is_counted &= requests["outcome"] == Outcome.COMPLETED
    arrivals_ns, served_by = requests["arrival_ns"][is_counted], requests["replica"][is_counted]
    codes = [code for code in view.ready if view.keys[code].model == model]
    if not codes or not served_by.size:
        return []
    # Of each replica and request: whether it was ready, and whether it served.
    was_ready = np.stack([view.ready[code].is_ready(arrivals_ns) for code in codes])
    has_served = np.stack([served_by == code for code in codes])
    had_a_choice = (was_ready.sum(axis=0) > 1) & (was_ready & has_served).any(axis=0)
    was_ready, has_served = was_ready[:, had_a_choice], has_served[:, had_a_choice]
    chances = was_ready / was_ready.sum(axis=0)
    return [
        EvenShare(view.facts.label(view.keys[code]), int(served.sum()), int(ready.sum()), float(chance.sum()))
        for code, ready, served, chance in zip(codes, was_ready, has_served, chances, strict=True)
        if ready.any()
    ]
