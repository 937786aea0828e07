"""Where two saved runs of one variant and seed part: the first decision that differs, and what each was made from.

Everything is read from the tables in the runs' folders, because the code that made the older ones may be gone.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import inf, isfinite
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from sim.measure.saved.run_folder import checked_manifest, choices_file, of_another_version

_BEHAVIOUR = {
    "events": ("t_s", ("kind", "subject", "replica", "cause")),
    "probes": ("end_s", ("request", "replica", "outcome")),
    "requests": ("end_s", ("request", "outcome", "cause")),
}
"""Of each table, its time and what is compared where all picks are the same."""


class Figures(NamedTuple):
    """What one pick saw of a replica."""

    in_flight: int
    last_used_s: float
    """On the wall clock of the frontend that wrote it."""
    available_vram_bytes: int


class Candidate(NamedTuple):
    """A replica that either pick could take, with its figures; None for a pick that could not take it."""

    replica: str
    base: Figures | None
    new: Figures | None

    @property
    def document(self) -> dict[str, Any]:
        """The replica for programs, in values that JSON has."""
        sides = {"base": self.base, "new": self.new}
        return {"replica": self.replica} | {side: seen and seen._asdict() for side, seen in sides.items()}


@dataclass(frozen=True, slots=True)
class Parting:
    """The first thing that two runs did otherwise."""

    what: str
    """Such as `the pick for request 7 of qwen3`."""
    t_s: float
    """When it happened, in the run in which it came first; infinite for a request that never ended."""
    base: str
    """What the base did, in words."""
    new: str
    candidates: tuple[Candidate, ...] = ()
    """What both picks were made from; empty if it is no pick, or if one run has not written that down."""
    request: int | None = None
    """The request that it is about, if it is about one."""

    @property
    def document(self) -> dict[str, Any]:
        """The difference for programs, in values that JSON has."""
        return {
            "what": self.what,
            "t_s": self.t_s if isfinite(self.t_s) else None,
            "base": self.base,
            "new": self.new,
            "candidates": [one.document for one in self.candidates],
        }


def first_difference(base: Path, new: Path) -> Parting | None:
    """Return where the runs in the two folders part, as `first_difference_of` does."""
    return first_difference_of(RunTables(base), RunTables(new))


def first_difference_of(base: "RunTables", new: "RunTables") -> Parting | None:
    """Return where the two runs part; None if they decided the same, if perhaps at other times.

    Picks come first: of each request, the first, the second and so on are compared. A request that came at another
    time or for another model counts too if no pick went apart before. If all picks are the same, the first other event,
    probe or outcome is returned. Raises BadRunFolder if a table is damaged, or if it is not of this version's form.
    """
    partings = [parting for parting in (_other_request(base, new), _other_pick(base, new)) if parting is not None]
    if partings:
        return min(partings, key=lambda parting: parting.t_s)
    return min(_other_behaviour(base, new), key=lambda parting: parting.t_s, default=None)


class RunTables:
    """The tables of one run: each is checked and read when it is first asked for, and kept."""

    def __init__(self, folder: Path) -> None:
        """Take the run's folder."""
        self._folder = folder
        self._kept: dict[tuple[str, ...], pd.DataFrame] = {}

    def read(self, table: str, *columns: str) -> pd.DataFrame:
        """Return these columns, in the order of the rows. Raises BadRunFolder."""
        if (table, *columns) not in self._kept:
            self._kept[table, *columns] = self._read(table, columns)
        return self._kept[table, *columns]

    def _read(self, table: str, columns: Sequence[str]) -> pd.DataFrame:
        name = f"{table}.parquet"
        manifest = checked_manifest(self._folder, [name])
        try:
            return pd.read_parquet(self._folder / name, columns=list(columns))
        except ValueError:  # pyarrow's errors of form are such.
            raise of_another_version(f"{self._folder / name} has other columns than here", manifest) from None

    def candidates(self, pick: int) -> dict[tuple[str, int], Figures] | None:
        """Return what the pick saw, by replica and, where a row is there twice, by its place; None if unknown."""
        path = choices_file(self._folder)
        if path is None:
            return None
        rows = pd.read_parquet(path, filters=[("pick", "==", pick)])
        seen: Counter[str] = Counter()
        figures: dict[tuple[str, int], Figures] = {}
        for replica, *values in zip(rows["replica"], *(rows[field] for field in Figures._fields), strict=True):
            figures[replica, seen[replica]] = Figures(int(values[0]), float(values[1]), int(values[2]))
            seen[replica] += 1
        return figures


def _other_request(base: RunTables, new: RunTables) -> Parting | None:
    columns = ("arrival_s", "model")
    one, other = base.read("requests", *columns), new.read("requests", *columns)
    row = _first_other_row(one, other)
    if row is None:
        return None
    ours, theirs = _row(one, row), _row(other, row)
    t_s = min(float(known["arrival_s"]) for known in (ours, theirs) if known is not None)
    return Parting(f"the arrival of request {row}", t_s, _arrival(ours), _arrival(theirs), request=row)


def _arrival(request: "pd.Series[float] | None") -> str:
    return "did not come" if request is None else f"came at {request['arrival_s']:.6f} s for {request['model']}"


def _other_pick(base: RunTables, new: RunTables) -> Parting | None:
    columns = ("t_s", "request", "model", "replica")
    one, other = (_numbered(tables.read("picks", *columns)) for tables in (base, new))
    both = one.merge(other, how="outer", on=["request", "turn"], suffixes=("_base", "_new"))
    parted = both[both["replica_base"].astype(str) != both["replica_new"].astype(str)]
    if parted.empty:
        return None
    parted = parted.assign(t_s=parted[["t_s_base", "t_s_new"]].min(axis=1))
    first = parted.sort_values(["t_s", "pick_base", "pick_new"]).iloc[0]
    ours, theirs = _Pick.of(first, "base"), _Pick.of(first, "new")
    turn = "the pick" if first["turn"] == 0 else f"pick {first['turn'] + 1}"
    model = next(pick.model for pick in (ours, theirs) if pick is not None)
    return Parting(
        f"{turn} for request {first['request']} of {model}",
        float(first["t_s"]),
        _taken(ours),
        _taken(theirs),
        tuple(_candidates(base, new, ours, theirs)),
        int(first["request"]),
    )


class _Pick(NamedTuple):
    number: int
    t_s: float
    model: str
    replica: str

    @classmethod
    def of(cls, row: "pd.Series[float]", side: str) -> "_Pick | None":
        """Return one side's pick; None if it made none."""
        if pd.isna(row[f"pick_{side}"]):
            return None
        number, t_s, model, replica = (row[f"{name}_{side}"] for name in ("pick", "t_s", "model", "replica"))
        return cls(int(number), float(t_s), str(model), str(replica))


def _taken(pick: _Pick | None) -> str:
    return "made no such pick" if pick is None else f"took {pick.replica} at {pick.t_s:.6f} s"


def _numbered(picks: pd.DataFrame) -> pd.DataFrame:
    """Number the picks, and those of each request."""
    return picks.assign(pick=range(len(picks)), turn=picks.groupby("request").cumcount())


def _candidates(base: RunTables, new: RunTables, of_base: _Pick | None, of_new: _Pick | None) -> Iterator[Candidate]:
    ours = {} if of_base is None else base.candidates(of_base.number)
    theirs = {} if of_new is None else new.candidates(of_new.number)
    if ours is None or theirs is None:
        return
    for key in dict.fromkeys([*ours, *theirs]):
        yield Candidate(key[0], ours.get(key), theirs.get(key))


def _other_behaviour(base: RunTables, new: RunTables) -> Iterator[Parting]:
    for table, (time, columns) in _BEHAVIOUR.items():
        one, other = base.read(table, time, *columns), new.read(table, time, *columns)
        row = _first_other_row(one[[*columns]], other[[*columns]])
        if row is not None:
            ours, theirs = _row(one, row), _row(other, row)
            times = [float(known[time]) for known in (ours, theirs) if known is not None and pd.notna(known[time])]
            what = f"row {row} of {table}"
            yield Parting(what, min(times, default=inf), _in_words(ours, columns), _in_words(theirs, columns))


def _in_words(row: "pd.Series[float] | None", columns: tuple[str, ...]) -> str:
    if row is None:
        return "has no such row"
    return ", ".join(f"{column} {row[column]}" for column in columns if pd.notna(row[column]))


def _row(frame: pd.DataFrame, number: int) -> "pd.Series[float] | None":
    return frame.iloc[number] if number < len(frame) else None


def _first_other_row(one: pd.DataFrame, other: pd.DataFrame) -> int | None:
    """Return the number of the first row that differs, or that only one of the tables has."""
    shared = min(len(one), len(other))
    differs = (_as_text(one.head(shared)) != _as_text(other.head(shared))).any(axis=1).to_numpy()
    if differs.any():
        return int(differs.argmax())
    return None if len(one) == len(other) else shared


def _as_text(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the cells as text, because a missing value equals no other, and a column of them may have any type."""
    return frame.astype("object").where(frame.notna(), "").astype(str)
