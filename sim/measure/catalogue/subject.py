"""What a metric is about. If none of it happened, its figure says nothing, however well it keeps a bound."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sim.measure.analysis.outdated import edits_ns
from sim.measure.catalogue.view import View
from sim.measure.recording.events import EventKind, are
from sim.measure.recording.records import MISSING


@dataclass(frozen=True, slots=True)
class Subject:
    """The things that a metric counts, measures or could have counted."""

    absence: str
    """What to say if there were none."""
    is_there: Callable[[View], bool]


def _has_requests(view: View) -> bool:
    return bool(len(view.requests["arrival_ns"]))


def _has_probes_of_requests(view: View) -> bool:
    return bool(np.any(view.probes["request"] != MISSING))


def _has_probes_of_loops(view: View) -> bool:
    return bool(np.any(view.probes["request"] == MISSING))


def _has_checks(view: View) -> bool:
    return bool(np.any(are(view.events, EventKind.CHECK_ENDED)))


def _has_prompts(view: View) -> bool:
    return bool(np.any(are(view.events, EventKind.BLOCKS_RECALLED)))


ANY_RUN = Subject("", lambda _view: True)
"""Of a metric whose 0 tells of the run itself."""
REQUESTS = Subject("no request arrived", _has_requests)
PROBES = Subject("no probe was sent for a request", _has_probes_of_requests)
LOOP_PROBES = Subject("no loop sent a probe", _has_probes_of_loops)
CHECKS = Subject("no liveness check was made", _has_checks)
PROMPTS = Subject("no backend looked for a prompt in its cache", _has_prompts)
EDITS = Subject("no model was edited", lambda view: bool(edits_ns(view.records)))
LOOPS = Subject("no background loop ran", lambda view: view.facts.has_loops)
REQUESTS_OR_LOOPS = Subject(
    "no request arrived and no background loop ran", lambda view: _has_requests(view) or view.facts.has_loops
)
"""Of rows, loads and the registry, which both of them work on."""
