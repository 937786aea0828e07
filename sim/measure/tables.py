"""The records as DataFrames, for people and notebooks: names in place of codes, seconds in place of nanoseconds.

Columns that end in `_s` are float seconds. What was never recorded is NaN, or NA in integer and boolean columns.
"""

from collections.abc import Iterable
from enum import IntEnum
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.measure.analysis.readiness import ready_times, replica_use
from sim.measure.facts import RunFacts
from sim.measure.recording.events import NODE_STATUSES, EventKind, Flag, has, values
from sim.measure.recording.records import MISSING, Integers, Records, Table
from sim.routing.outcomes import AnswerSource, Outcome, ProbeOutcome
from sim.routing.request import COLUMNS, OPTIONAL

Floats = npt.NDArray[np.float64]

_UNFINISHED = "unfinished"


def requests(records: Records, facts: RunFacts) -> pd.DataFrame:
    """Return one row per request, in order of arrival.

    `route_s` is the time from arrival to route, `queue_s` from route to start of service, `ttft_s` from arrival to
    first token, `latency_s` from arrival to last token if the request completed; the other times count from the start
    of the run. `served_s` is the end of service at the backend, `end_s` what the client saw. Token counts and
    `demand_s` are missing where the workload gives none.
    """
    table = records.requests
    arrival, outcome = table["arrival_ns"], table["outcome"]
    completed_ns = np.where(outcome == Outcome.COMPLETED, table["end_ns"], MISSING)
    return pd.DataFrame(
        {
            "request": np.arange(len(table)),
            "model": _names(table["model"], records.models),
            **_planned(table),
            "routed_s": _seconds(table["routed_ns"]),
            "start_s": _seconds(table["start_ns"]),
            "first_token_s": _seconds(table["first_token_ns"]),
            "served_s": _seconds(table["served_ns"]),
            "end_s": _seconds(table["end_ns"]),
            "route_s": _between(arrival, table["routed_ns"]),
            "queue_s": _between(table["routed_ns"], table["start_ns"]),
            "ttft_s": _between(arrival, table["first_token_ns"]),
            "latency_s": _between(arrival, completed_ns),
            # "Not ended" has a name of its own, in the place of the code before the first.
            "outcome": _names(outcome + 1, [_UNFINISHED, *_words(Outcome)]),
            "cause": _names(table["cause"], records.causes),
            "replica": _labels(table["replica"], records, facts),
        }
    )


def picks(records: Records, facts: RunFacts) -> pd.DataFrame:
    """Return one row per pick, in order: the load and last use it read, and what vouched for the replica, if asked.

    `last_used_s` is on the wall clock of the frontend that wrote it.
    """
    table = records.picks
    return pd.DataFrame(
        {
            "seq": table["seq"],
            "t_s": _seconds(table["t_ns"]),
            "request": table["request"],
            "model": _models(table["replica"], records),
            "replica": _labels(table["replica"], records, facts),
            "address": _names(table["address"], records.addresses),
            "in_flight": table["in_flight"],
            "last_used_s": _seconds(table["last_used_ns"]),
            "source": _names(table["source"], _words(AnswerSource)),
            "alive": _booleans(table["alive"]),
        }
    )


def probes(records: Records, facts: RunFacts) -> pd.DataFrame:
    """Return one row per ended probe, in order of its end; `process_alive` is the truth at that moment.

    `request` is missing if a background loop sent it.
    """
    table = records.probes
    return pd.DataFrame(
        {
            "seq": table["seq"],
            "request": _integers(table["request"]),
            "model": _models(table["replica"], records),
            "replica": _labels(table["replica"], records, facts),
            "address": _names(table["address"], records.addresses),
            "start_s": _seconds(table["start_ns"]),
            "end_s": _seconds(table["end_ns"]),
            "outcome": _names(table["outcome"], _words(ProbeOutcome)),
            "process_alive": _booleans(table["process_alive"]),
        }
    )


def events(records: Records, facts: RunFacts) -> pd.DataFrame:
    """Return one row per event, in order.

    `process_alive` is known of removed rows, `redundant` of installs and loads that started, `status` of nodes that
    changed, `scaled_by` of models that were to have more or fewer replicas, `blocks` of prompts that a backend with a
    cache reads. `cause` is why it happened, or why a load failed; of a fault it is the kind. `subject` is the node, the
    model or the victim where no replica is meant.
    """
    table = records.events
    return pd.DataFrame(
        {
            "seq": table["seq"],
            "t_s": _seconds(table["t_ns"]),
            "kind": _names(table["kind"], _words(EventKind)),
            "model": _models(table["replica"], records),
            "replica": _labels(table["replica"], records, facts),
            "address": _names(table["address"], records.addresses),
            "request": _integers(table["request"]),
            "cause": _names(table["cause"], records.causes),
            "process_alive": _booleans(values(table, Flag.PROCESS_ALIVE)),
            "redundant": _booleans(values(table, Flag.REDUNDANT)),
            "subject": _names(table["subject"], records.subjects),
            "status": _names(values(table, Flag.STATUS), NODE_STATUSES),
            "scaled_by": _counts(table, Flag.SCALED_BY),
            "blocks": _counts(table, Flag.BLOCKS),
        }
    )


def replicas(records: Records, facts: RunFacts, end_ns: int) -> pd.DataFrame:
    """Return one row per replica that had a row or was sent a request, over the whole run, which ended at `end_ns`.

    `requests` counts completed requests and `share` is their part of the model's; `busy_s` is service, each request on
    its own; `utilization` is the part of the ready time that each worker served, missing if it was never ready.
    """
    use = replica_use(records, ready_times(records), 0, end_ns, end_ns)
    keys = list(records.replicas)
    completed = records.requests["replica"][records.requests["outcome"] == Outcome.COMPLETED]
    counts = np.array([np.count_nonzero(completed == code) for code in use], dtype=np.int64)
    models = [keys[code].model for code in use]
    of_model = pd.Series(counts).groupby(models).transform("sum")
    return pd.DataFrame(
        {
            "model": models,
            "replica": [facts.label(keys[code]) for code in use],
            "ready_s": _seconds(np.array([one.ready_ns for one in use.values()], dtype=np.int64)),
            "requests": counts,
            "share": (counts / of_model.where(of_model > 0)).to_numpy(dtype=np.float64),
            "busy_s": _seconds(np.array([one.busy_ns for one in use.values()], dtype=np.int64)),
            "utilization": np.array(
                [one.utilization(facts.workers.get(keys[code].model, 1)) for code, one in use.items()], dtype=np.float64
            ),
        }
    )


def in_flight(records: Records, facts: RunFacts) -> pd.DataFrame:
    """Return one row for each change of a replica's load, in order of time, and of replicas at one instant.

    `in_flight` counts the requests that have their route to the replica and have not ended, from `t_s` until the
    replica's next row; before its first row it is 0. What comes and goes at one instant is counted together.
    """
    table = records.requests
    routed = (table["replica"] != MISSING) & (table["routed_ns"] != MISSING)
    ended = routed & (table["end_ns"] != MISSING)
    steps = pd.DataFrame(
        {
            "t_ns": np.concatenate([table["routed_ns"][routed], table["end_ns"][ended]]),
            "replica": np.concatenate([table["replica"][routed], table["replica"][ended]]),
            "step": np.repeat([1, -1], [np.count_nonzero(routed), np.count_nonzero(ended)]),
        }
    )
    changes = steps.groupby(["t_ns", "replica"], as_index=False)["step"].sum().query("step != 0")
    codes = changes["replica"].to_numpy()
    return pd.DataFrame(
        {
            "t_s": _seconds(changes["t_ns"].to_numpy()),
            "model": _models(codes, records),
            "replica": _labels(codes, records, facts),
            "in_flight": changes.groupby("replica")["step"].cumsum().to_numpy(),
        }
    )


def _planned(table: Table) -> dict[str, Any]:
    """Return the whole numbers that were planned of each request, by column."""
    columns: dict[str, Any] = {}
    for field in COLUMNS[1:]:
        if field.endswith("_ns"):
            columns[f"{field.removesuffix('_ns')}_s"] = _seconds(table[field], 0 if field in OPTIONAL else MISSING)
        else:
            columns[field] = _integers(table[field], missing=0) if field in OPTIONAL else table[field]
    return columns


def _seconds(times_ns: Integers, missing: int = MISSING) -> Floats:
    seconds = times_ns / 1e9
    seconds[times_ns == missing] = np.nan
    return np.asarray(seconds, dtype=np.float64)


def _between(earlier_ns: Integers, later_ns: Integers) -> Floats:
    known = (earlier_ns != MISSING) & (later_ns != MISSING)
    return _seconds(np.where(known, later_ns - earlier_ns, MISSING))


def _integers(values: Integers, missing: int = MISSING) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(values.copy(), values == missing)


def _counts(table: Table, flag: Flag) -> pd.arrays.IntegerArray:
    return pd.arrays.IntegerArray(values(table, flag), ~has(table, flag))


def _booleans(flags: Integers) -> pd.arrays.BooleanArray:
    return pd.arrays.BooleanArray(flags == 1, flags == MISSING)


def _names(codes: Integers, names: Iterable[str]) -> pd.Categorical:
    return pd.Categorical.from_codes(codes, categories=pd.Index(list(names), dtype="str"))


def _words(kinds: type[IntEnum]) -> list[str]:
    return [kind.name.lower() for kind in kinds]


def _labels(codes: Integers, records: Records, facts: RunFacts) -> pd.Categorical:
    return _names(codes, [facts.label(key) for key in records.replicas])


def _models(codes: Integers, records: Records) -> pd.Categorical:
    """Name the model of each replica; several replicas may share one, which a categorical keeps once."""
    models = [key.model for key in records.replicas]
    unique = list(dict.fromkeys(models))
    # The last entry serves the code -1.
    renumbered = np.array([*map(unique.index, models), MISSING])
    return _names(renumbered[codes], unique)
