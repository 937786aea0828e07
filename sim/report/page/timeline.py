"""What the page's timeline draws of one run: columns of numbers, and the names behind their codes.

Times are whole microseconds. What is missing is -1.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from sim.measure.facts import TIES_TO_FIRST, PolicyFacts, RunFacts
from sim.measure.recording.events import FLAG_OF, NODE_STATUSES, EventKind
from sim.measure.recording.records import MISSING, Integers, Records
from sim.measure.result import RunResult
from sim.measure.story.decision import ORDERS, Rule
from sim.measure.story.decision_words import REASONS
from sim.routing.outcomes import AnswerSource, Outcome, ProbeOutcome

if TYPE_CHECKING:
    import pandas as pd

_STAGES = ("routed", "start", "first_token", "served", "end")


@dataclass(frozen=True, slots=True)
class Timeline:
    """One run as the page's script reads it."""

    title: str
    """What tells it from the page's other runs."""
    variant: str
    digest: str
    names: Mapping[str, Any]
    """What the codes stand for, in values that JSON has."""
    columns: Mapping[str, Integers]
    """By table and column, as `requests.arrival`."""


def timeline_of(result: RunResult, variant: str, choices: "pd.DataFrame | None") -> Timeline:
    """Return the timeline of a run; `variant` is what the page calls it among those of its scenario and seed.

    `choices` has a row for each replica that a pick could take, as in `choices.parquet`; None if nobody wrote it down.
    """
    records, facts = result.records, result.facts
    labels = [facts.label(key) for key in records.replicas]
    candidates = [] if choices is None else [str(label) for label in choices["replica"].cat.categories]
    lanes = _in_order(dict.fromkeys([*labels, *candidates]), facts)
    lane_of = np.array([*map(lanes.index, labels), MISSING], dtype=np.int64)  # The last is that of no replica.
    columns = {
        "requests": _requests(records, lane_of),
        "picks": _picks(records, lane_of, choices),
        "choices": {} if choices is None else _choices(choices, np.array([*map(lanes.index, candidates)], np.int64)),
        "probes": _probes(records, lane_of),
        "events": _events(records, lane_of),
    }
    return Timeline(
        f"{result.scenario}, {variant}, seed {result.seed}",
        variant,
        result.digest,
        {
            **_names(result, lanes),
            "policies": [_rule_of(policy) for policy in facts.policies],
            "reasons": {rule.value: words for rule, words in REASONS.items()},
            "last_used_per_s": 1e9 if choices is None else _last_used_per_s(choices),
        },
        {f"{table}.{name}": column for table, of_table in columns.items() for name, column in of_table.items()},
    )


def _in_order(labels: Mapping[str, None], facts: RunFacts) -> list[str]:
    """Return the labels node by node, and within a node model by model, both in the scenario's order."""
    models = list(facts.models)
    nodes = list(facts.speeds[models[0]])

    def place(label: str) -> tuple[int, int, int]:
        model, _, rest = label.rpartition("@")
        node, _, index = rest.partition("#")
        return _rank(node, nodes), _rank(model, models), int(index)

    return sorted(labels, key=place)


def _rank(name: str, names: list[str]) -> int:
    return names.index(name) if name in names else len(names)


def _names(result: RunResult, lanes: list[str]) -> dict[str, Any]:
    records = result.records
    return {
        "end": (result.totals.end_ns + 500) // 1000,
        "lanes": [{"label": label, "node": label.rpartition("@")[2].partition("#")[0]} for label in lanes],
        "models": list(records.models),
        "causes": list(records.causes),
        "subjects": list(records.subjects),
        "outcomes": _words(Outcome),
        "sources": _words(AnswerSource),
        "probe_outcomes": _words(ProbeOutcome),
        "kinds": _words(EventKind),
        "flags": {kind.name.lower(): flag.value for kind, flag in FLAG_OF.items()},
        "statuses": [status.value for status in NODE_STATUSES],
    }


def _rule_of(policy: PolicyFacts) -> dict[str, Any]:
    """Return what the picks of a frontend with this policy can be explained by."""
    order = ORDERS.get(policy.name)
    return {
        "name": policy.name,
        "order": None if order is None else [figure.name.lower() for figure in order],
        "tie": (Rule.FIRST if policy.ties == TIES_TO_FIRST else Rule.TIES).value,
    }


def _words(codes: type[Outcome] | type[AnswerSource] | type[ProbeOutcome] | type[EventKind]) -> list[str]:
    return [code.name.lower() for code in codes]


def _requests(records: Records, lane_of: Integers) -> dict[str, Integers]:
    table = records.requests
    arrival = _microseconds(table["arrival_ns"])
    stages = {name: _after(arrival, _microseconds(table[f"{name}_ns"])) for name in _STAGES}
    return {
        "arrival": _steps(arrival),
        **stages,
        "lane": lane_of[table["replica"]],
        **{name: table[name] for name in ("model", "frontend", "outcome", "cause", "prompt_tokens", "output_tokens")},
    }


def _picks(records: Records, lane_of: Integers, choices: "pd.DataFrame | None") -> dict[str, Integers]:
    table = records.picks
    given = np.empty(0, np.int64) if choices is None else choices["pick"].to_numpy()
    return {
        "t": _steps(_microseconds(table["t_ns"])),
        "lane": lane_of[table["replica"]],
        **{name: table[name] for name in ("request", "in_flight", "source", "alive")},
        "candidates": np.bincount(given, minlength=len(table)),
    }


def _choices(choices: "pd.DataFrame", lane_of: Integers) -> dict[str, Integers]:
    return {
        "lane": lane_of[choices["replica"].cat.codes.to_numpy()],
        "in_flight": choices["in_flight"].to_numpy(),
        "last_used": np.rint(choices["last_used_s"].to_numpy() * _last_used_per_s(choices)).astype(np.int64),
        "vram": choices["available_vram_bytes"].to_numpy(),
    }


def _last_used_per_s(choices: "pd.DataFrame") -> float:
    """Return the unit in which last uses are told: nanoseconds, as picks compare them, if JavaScript can count them."""
    return 1e9 if choices["last_used_s"].max() < 2**53 / 1e9 else 1e6


def _probes(records: Records, lane_of: Integers) -> dict[str, Integers]:
    table = records.probes
    # In order of their starts, which is how they are drawn; they were recorded in order of their ends.
    order = np.argsort(table["start_ns"], kind="stable")
    start = _microseconds(table["start_ns"][order])
    return {
        "start": _steps(start),
        "end": _after(start, _microseconds(table["end_ns"][order])),
        "lane": lane_of[table["replica"][order]],
        **{name: table[name][order] for name in ("request", "outcome", "process_alive")},
    }


def _events(records: Records, lane_of: Integers) -> dict[str, Integers]:
    table = records.events
    return {
        "t": _steps(_microseconds(table["t_ns"])),
        "lane": lane_of[table["replica"]],
        **{name: table[name] for name in ("kind", "request", "cause", "flag", "subject")},
    }


def _microseconds(times_ns: Integers) -> Integers:
    return np.where(times_ns == MISSING, MISSING, (times_ns + 500) // 1000)


def _after(start: Integers, times: Integers) -> Integers:
    """Return how long after `start` each time is."""
    return np.where(times == MISSING, MISSING, times - start)


def _steps(times: Integers) -> Integers:
    """Return the first time and then the differences, which are small."""
    return np.diff(times, prepend=0)
