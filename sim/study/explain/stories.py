"""The stories that a run has to tell, made by a closer look at it."""

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import overload

from sim.measure.result import RunResult
from sim.measure.story.queues import LockHolders, Queues
from sim.measure.story.request_story import RequestStory
from sim.measure.story.request_witness import RequestWitness
from sim.measure.story.row_story import RowStory
from sim.measure.story.row_witness import RowWitness
from sim.scenario.text.errors import did_you_mean, listed
from sim.study.errors import NoSuchRequest, NoSuchRow
from sim.study.explain.again import MakeRun, run_again


@overload
def explain(
    run: RunResult | str | Path, *, request: int, allow_dirs: Sequence[str | Path] = (), allow_code: bool = False
) -> RequestStory: ...


@overload
def explain(
    run: RunResult | str | Path, *, row: str, allow_dirs: Sequence[str | Path] = (), allow_code: bool = False
) -> RowStory: ...


def explain(
    run: RunResult | str | Path,
    *,
    request: int | None = None,
    row: str | None = None,
    allow_dirs: Sequence[str | Path] = (),
    allow_code: bool = False,
) -> RequestStory | RowStory:
    """Return the way of a request through a run, or what became of the rows of a replica, given by its label.

    Printed, a story is a text; its `document` is the same for programs. The run is a result or the folder that it was
    saved to. It is made again, as it was. `allow_dirs` and `allow_code` are those of `load`, for a folder whose run
    needed them.

    Raises NoSuchRequest, NoSuchRow, NotTheSameRun if the run comes out otherwise, and what else `run_again` raises.
    """
    make_run = partial(run_again, run, allow_dirs=allow_dirs, allow_code=allow_code)
    if request is not None and row is None:
        return explain_request(make_run, request)
    if row is not None and request is None:
        return explain_row(make_run, row)
    raise TypeError("explain takes either a request or a row")


def explain_request(make_run: MakeRun, request: int) -> RequestStory:
    """Return the story of the request. Raises NoSuchRequest."""
    queues, locks = Queues(), LockHolders()
    witness = RequestWitness(request, queues, locks)
    result = make_run([witness, queues, locks])
    story = witness.story(result.name)
    if story is None:
        raise NoSuchRequest(
            f"{result.name} has no request {request}; {_allowed(len(result.records.requests), request)}"
        )
    return story


def explain_row(make_run: MakeRun, replica: str) -> RowStory:
    """Return the story of the replica's rows. Raises NoSuchRow."""
    queues = Queues()
    witness = RowWitness(replica, queues)
    result = make_run([witness, queues])
    story = witness.story(result.name)
    if not story.lives:
        labels = list(map(result.facts.label, result.records.replicas))
        hint = did_you_mean(replica, labels)
        raise NoSuchRow(f"{result.name} has no row of {replica!r}; allowed: {listed(labels, 'in the run')}{hint}")
    return story


def _allowed(count: int, request: int) -> str:
    if not count:
        return "none arrived"
    return f"allowed: 0 to {count - 1}; the nearest is {min(max(request, 0), count - 1)}"
