"""A folder of many runs, as `sim run --out` has written it, read back as far as it takes to compare it with another."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from sim.measure.expectations import OverSeeds, Verdict
from sim.measure.judged_run import JudgedRun
from sim.measure.saved.run_folder import MANIFEST, SUMMARY, BadRunFolder, checked_manifest, of_another_version
from sim.measure.statistics import Interval
from sim.measure.window import Window
from sim.scenario.text.errors import listed

_ALLOWED = "allowed: a folder that `sim run --out` has written"


class BadResultFolder(ValueError):
    """The folder is not one of `sim run --out`, or not all of its runs can be read; a line for each reason."""


@dataclass(frozen=True, slots=True)
class SavedRun:
    """One run, and where the rest of it is."""

    scenario: str
    run: JudgedRun
    folder: Path


@dataclass(frozen=True, slots=True)
class ResultFolder:
    """What a folder tells of its runs."""

    path: Path
    runs: tuple[SavedRun, ...]
    """By scenario, variant and seed."""
    joint: Mapping[str, tuple[Verdict, ...]]
    """By scenario, its verdicts on several seeds together."""
    variants: Mapping[str, tuple[str, ...]]
    """By scenario, its variants in the order of its file; none if the runs were cut short before this was written."""


class _Summary(NamedTuple):
    """What the summary of all runs tells of one scenario."""

    scenario: str
    runs: tuple[tuple[str, int], ...]
    """The variant and seed of each, in the order of the scenario's file."""
    joint: tuple[Verdict, ...]


def read_result_folder(path: Path) -> ResultFolder:
    """Return what the folder tells; that of one run will do as well.

    Raises BadResultFolder for a run that is damaged, or that the summary tells of and that is not there.
    """
    if not path.is_dir():
        reason = "is not a folder" if path.exists() else "does not exist"
        raise BadResultFolder(f"{path} {reason}; {_ALLOWED}")
    folders = [path] if (path / MANIFEST).exists() else sorted(path.glob("*/*/seed-*"))
    runs: list[SavedRun] = []
    problems: list[str] = []
    for folder in folders:
        try:
            runs.append(_saved_run(folder))
        except BadRunFolder as error:
            problems.append(str(error))
    if problems:
        raise BadResultFolder("\n".join(problems))
    if not runs:
        raise BadResultFolder(f"{path} holds no runs; {_ALLOWED}")
    runs.sort(key=lambda one: (one.scenario, one.run.variant, one.run.seed))
    summaries = list(_summaries(path))
    if lost := _lost(summaries, runs):
        raise BadResultFolder(f"{path / SUMMARY} tells of runs that are not there: {lost}")
    return ResultFolder(
        path,
        tuple(runs),
        {one.scenario: one.joint for one in summaries},
        {one.scenario: tuple(dict.fromkeys(variant for variant, _ in one.runs)) for one in summaries},
    )


def _lost(summaries: Sequence[_Summary], runs: Sequence[SavedRun]) -> str:
    """Name the runs of the summary that were not found, a variant's seeds together."""
    found = {(one.scenario, one.run.variant, one.run.seed) for one in runs}
    seeds: dict[tuple[str, str], list[str]] = {}
    for scenario, of_scenario, _ in summaries:
        for variant, seed in of_scenario:
            if (scenario, variant, seed) not in found:
                seeds.setdefault((scenario, variant), []).append(str(seed))
    return "; ".join(
        f"{listed(variant)} on seed{'s' if len(lost) > 1 else ''} {listed(lost, 'of them')}"
        for variant, lost in seeds.items()
    )


def _saved_run(folder: Path) -> SavedRun:
    manifest = checked_manifest(folder, [SUMMARY])
    try:
        document = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        (run,) = document["runs"]
        judged = JudgedRun(
            run["variant"],
            run["seed"],
            run["digest"],
            run["metrics"],
            tuple(_verdict(one, run["seed"]) for one in run["expectations"]),
        )
        return SavedRun(document["scenario"], judged, folder)
    except (ValueError, KeyError, TypeError):
        raise of_another_version(f"{folder / SUMMARY} has another form than here", manifest) from None


def _summaries(path: Path) -> Iterator[_Summary]:
    """Yield what the summary tells of each scenario; nothing if the runs were cut short before it was written."""
    try:
        content = json.loads((path / SUMMARY).read_text(encoding="utf-8"))
        for document in content if isinstance(content, list) else [content]:
            runs = ((run["variant"], run["seed"]) for run in document["runs"])
            joint = (_verdict(one) for one in document.get("expectations", ()))
            yield _Summary(document["scenario"], tuple(runs), tuple(joint))
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BadResultFolder(f"{path / SUMMARY} is not what `sim run --out` writes there; {_ALLOWED}") from None


def _verdict(document: Mapping[str, Any], seed: int | None = None) -> Verdict:
    return Verdict(
        document["metric"],
        document["variant"],
        document["value"],
        document["bound"],
        document["passed"],
        window=Window.between(document.get("after"), document.get("before")),
        seed=seed,
        shows_bug=document.get("shows_bug", False),
        reason=document.get("reason", ""),
        over=_over_seeds(document) if "held" in document else None,
        command=document.get("command", ""),
    )


def _over_seeds(document: Mapping[str, Any]) -> OverSeeds:
    low, high = document["low"], document["high"]
    return OverSeeds(
        document["seeds"],
        document["held"],
        document["worst_seed"],
        document.get("worst"),
        None if low is None else Interval(document["value"], low, high),
        document["confidence"],
    )
