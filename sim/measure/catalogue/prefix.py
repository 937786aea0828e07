"""How much of their prompts backends had read before, and what they have lost of it."""

import numpy as np

from sim.measure.catalogue.metric import Better, RunMetric, Unit
from sim.measure.catalogue.subject import PROMPTS
from sim.measure.catalogue.view import View
from sim.measure.recording.events import EventKind, are


def _hit_share(view: View) -> float | None:
    recalled, read = (_blocks(view, kind) for kind in (EventKind.BLOCKS_RECALLED, EventKind.BLOCKS_READ))
    return recalled / (recalled + read) if recalled + read else None


def _blocks(view: View, kind: EventKind) -> int:
    return int(np.sum(view.events["flag"][are(view.events, kind)]))


def _lost_prompts(view: View) -> float | None:
    return float(np.count_nonzero(are(view.events, EventKind.PROMPT_LOST))) if PROMPTS.is_there(view) else None


METRICS = (
    RunMetric(
        "prefix.hit_share",
        Unit.SHARE,
        Better.HIGHER,
        "the part of all blocks of prompts that backends had in their caches",
        _hit_share,
        subject=PROMPTS,
    ),
    RunMetric(
        "prefix.lost_prompts",
        Unit.COUNT,
        Better.LOWER,
        "requests whose replica had read their prompt's beginning before and had none of it cached any more: its"
        " process is another one, or its cache too small",
        _lost_prompts,
        subject=PROMPTS,
    ),
)
