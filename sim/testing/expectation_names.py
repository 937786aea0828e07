"""What a test of an expectation is called: readable, the same in every run, and short enough to be typed."""

from collections.abc import Iterator

from sim.scenario import Expectation


def name_of(expectation: Expectation) -> str:
    """Return such as `fairness.jain>=0.95[after=60s,over=20]`: metric, bounds, and what restricts them."""
    restrictions = ",".join(_restrictions(expectation))
    return f"{expectation.metric}{','.join(_bounds(expectation))}{f'[{restrictions}]' if restrictions else ''}"


def _bounds(expectation: Expectation) -> Iterator[str]:
    yield from (f"{sign}{limit:.12g}" for sign, limit in expectation.limits)
    yield from (f"{sign}{other}" for sign, other in expectation.comparisons)


def _restrictions(expectation: Expectation) -> Iterator[str]:
    if expectation.model is not None:
        yield f"model={expectation.model}"
    for word, time_ns in (("after", expectation.after_ns), ("before", expectation.before_ns)):
        if time_ns is not None:
            # In seconds, whichever unit the file has: who types a name need not look it up.
            yield f"{word}={time_ns / 1e9:.12g}s"
    if expectation.over is not None:
        yield f"over={expectation.over}"
    if expectation.for_every_seed:
        yield "every_seed"
    if "confidence" in expectation.model_fields_set:
        yield f"confidence={expectation.confidence:.6g}"
    if expectation.shows is not None:
        yield f"shows={expectation.shows}"
