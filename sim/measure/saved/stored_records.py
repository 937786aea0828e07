"""The records of a run as one file of integers (numpy's .npz), from which every figure and table can be made again."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from sim.measure.facts import PolicyFacts, RunFacts, Totals
from sim.measure.recording.records import Codes, Records, Table
from sim.routing.replica import ReplicaKey

_HEAD = "head"
_FACTS = {part.name for part in fields(RunFacts)}


class UnknownRecords(Exception):
    """The file holds other records than this version of the project keeps."""


def write_records(file: BinaryIO, records: Records, totals: Totals, facts: RunFacts) -> None:
    """Write all that figures and tables are made from, column after column, which compresses better than by rows."""
    columns = {name: np.array([table[column] for column in table.columns]) for name, table in _tables(records)}
    about = {"names": dict(_names(records)), "totals": asdict(totals), "facts": asdict(facts)}
    head = json.dumps({"columns": _columns(records), **about})
    np.savez_compressed(file, allow_pickle=False, **{_HEAD: np.frombuffer(head.encode(), np.uint8), **columns})


def read_records(path: Path) -> tuple[Records, Totals, RunFacts]:
    """Return what `write_records` wrote. Raises UnknownRecords if it has other tables or columns than ours."""
    records = Records()
    with np.load(path, allow_pickle=False) as stored:
        head: dict[str, Any] = json.loads(bytes(stored[_HEAD]))
        if head["columns"] != _columns(records) or head["facts"].keys() != _FACTS:
            raise UnknownRecords(f"{path} holds other tables, columns or facts than this version reads")
        for name, table in _tables(records):
            table.cells.frombytes(np.ascontiguousarray(stored[name].T, dtype=np.int64).tobytes())
    for name, codes in _codes(records):
        for entry in head["names"][name]:
            codes[ReplicaKey(*entry) if name == "replicas" else entry]
    return records, Totals(**head["totals"]), _facts(head["facts"])


def _facts(stored: Mapping[str, Any]) -> RunFacts:
    """Return the facts with the tuples that JSON has as lists."""
    policies = tuple(PolicyFacts(*policy) for policy in stored["policies"])
    tuples = {"models": tuple(stored["models"]), "faults": tuple(stored["faults"]), "policies": policies}
    return RunFacts(**{**stored, **tuples})


def _columns(records: Records) -> dict[str, list[str]]:
    return {name: list(table.columns) for name, table in _tables(records)}


def _names(records: Records) -> Iterator[tuple[str, list[Any]]]:
    for name, codes in _codes(records):
        yield name, list(codes)


def _tables(records: Records) -> Iterator[tuple[str, Table]]:
    for part in fields(records):
        if isinstance(table := getattr(records, part.name), Table):
            yield part.name, table


def _codes(records: Records) -> Iterator[tuple[str, Codes[Any]]]:
    for part in fields(records):
        if isinstance(codes := getattr(records, part.name), Codes):
            yield part.name, codes
