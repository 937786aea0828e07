"""One run's folder: its figures, tables, records and plan, and a manifest of them that is written last."""

import json
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from sim import __version__
from sim.measure.document import document, to_json
from sim.measure.expectations import Verdict
from sim.measure.judged_run import JudgedRun
from sim.measure.result import RunResult
from sim.measure.saved.staged_files import CannotWrite, StagedFiles, checksum, remove_files
from sim.measure.saved.stored_records import UnknownRecords, read_records, write_records
from sim.measure.summary import Metrics
from sim.scenario import Scenario, dump
from sim.scenario.policies.sources import runs_code

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

TABLES = ("requests", "probes", "picks", "events", "replicas")
SUMMARY, RECORDS, PLAN, MANIFEST = "summary.json", "records.npz", "plan.yaml", "manifest.json"
CHOICES = "choices.parquet"
PICTURES = ("share.svg", "in_flight.svg", "queues.svg", "probes.svg", "fairness.svg", "bursts.svg")
"""Pictures that a run's folder may have."""
FILES = (SUMMARY, *(f"{table}.parquet" for table in TABLES), CHOICES, RECORDS, PLAN, *PICTURES, MANIFEST)
_NO_PICTURES: Mapping[str, str] = MappingProxyType({})

_PLAN_HEAD = "# One run, complete: `sim run plan.yaml` repeats it, with the same digest.\n"
_CODE_HINT = "# Its policy is code of your own, which needs --allow-code.\n"
_TRACE_HINT = "# Its trace file is looked for beside it, and in the folder that --allow-dir names.\n"


class BadRunFolder(ValueError):
    """The folder holds no complete run that this version can read."""


def save_run(
    folder: Path,
    result: RunResult,
    verdicts: Sequence[Verdict],
    choices: "pa.Buffer | None" = None,
    *,
    plan_head: str = _PLAN_HEAD,
    pictures: Mapping[str, str] = _NO_PICTURES,
) -> None:
    """Write the run's files to its folder, all or none. Raises CannotWrite.

    `choices` is the file that a ChoiceRecorder has made of the run, if one was listening. `plan_head` is the comment
    above the plan. `pictures` are SVG files by their names, which are among `PICTURES`; pictures of an earlier run are
    deleted. A folder without a manifest, or with one whose hashes do not match, is not complete.
    """
    # Here, because reading does without it.
    import pyarrow as pa
    from pyarrow import parquet

    run = JudgedRun(result.variant, result.seed, result.digest, result.metrics, tuple(verdicts))
    with StagedFiles(folder) as files:
        rows: dict[str, int] = {}
        paths = {SUMMARY: files.add_text(SUMMARY, f"{to_json(document(result.scenario, [run]))}\n")}
        for table in TABLES:
            name = f"{table}.parquet"
            # Converted and written one by one, so that only one is in memory at a time.
            content = pa.Table.from_pandas(getattr(result, table), preserve_index=False)
            rows[name] = content.num_rows
            paths[name] = files.add(name, partial(parquet.write_table, content))
        if choices is not None:
            rows[CHOICES] = parquet.read_metadata(pa.BufferReader(choices)).num_rows
            paths[CHOICES] = files.add(CHOICES, lambda file: file.write(choices))
        paths[RECORDS] = files.add(
            RECORDS, partial(write_records, records=result.records, totals=result.totals, facts=result.facts)
        )
        paths[PLAN] = files.add_text(PLAN, plan_text(result.plan, folder, plan_head))
        paths |= {name: files.add_text(name, picture) for name, picture in pictures.items()}
        manifest = {
            **_header(result),
            "files": {name: _entry(path, rows.get(name)) for name, path in paths.items()},
        }
        files.add_text(MANIFEST, json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    remove_files(folder, (name for name in PICTURES if name not in pictures))


def remove_run(folder: Path) -> None:
    """Delete the files of a run, the manifest first, and their folder if nothing else is in it.

    Raises CannotWrite if one cannot be deleted.
    """
    remove_files(folder, reversed(FILES))
    try:
        if not any(folder.iterdir()):
            folder.rmdir()
    except OSError as error:
        raise CannotWrite(f"cannot delete the old run in {folder}: {error.strerror}") from None


def read(folder: str | Path) -> RunResult:
    """Return the result that was saved to the folder, by `save` or by `sim run --out`.

    It can do all that the result of `run` can: its tables are made from the stored records, and its metrics are those
    that were saved. Raises BadRunFolder if the folder is not complete.
    """
    folder = Path(folder)
    manifest = checked_manifest(folder, (SUMMARY, RECORDS, PLAN))
    try:
        records, totals, facts = read_records(folder / RECORDS)
    except UnknownRecords as error:
        raise of_another_version(str(error), manifest) from None
    (run,) = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))["runs"]
    return RunResult(
        manifest["scenario"],
        run["variant"],
        run["seed"],
        run["digest"],
        Metrics(run["metrics"]),
        records,
        totals,
        facts,
        plan=(folder / PLAN).read_text(encoding="utf-8"),
    )


def read_choices(folder: Path, most_rows: int | None = None) -> "pd.DataFrame | None":
    """Return what each pick of a saved run was made from; None if nobody wrote it down.

    A table of more than `most_rows` rows is not loaded, and is None as well. The columns are those of `ChoiceRecorder`,
    and `replica` is categorical. Raises BadRunFolder if it is damaged.
    """
    path = choices_file(folder)
    if path is None:
        return None
    # Here, because few who read a run want it.
    import pandas as pd
    from pyarrow import parquet

    if most_rows is not None and parquet.read_metadata(path).num_rows > most_rows:
        return None

    return pd.read_parquet(path).astype({"replica": "category"})


def choices_file(folder: Path) -> Path | None:
    """Return the file of a run's choices, checked; None if nobody wrote them down. Raises BadRunFolder."""
    if CHOICES not in checked_manifest(folder, [])["files"]:
        return None
    checked_manifest(folder, [CHOICES])
    return folder / CHOICES


def of_another_version(problem: str, manifest: Mapping[str, Any]) -> BadRunFolder:
    """Return the error for a folder that is complete, but not of this version's form."""
    return BadRunFolder(f"{problem}: it was written by sim {manifest.get('sim', 'another program')}")


def checked_manifest(folder: Path, needed: Sequence[str]) -> dict[str, Any]:
    """Return the manifest. Raises BadRunFolder if a file that is needed is missing, or is another one."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        other = [name for name in needed if checksum(folder / name) != manifest["files"][name]["blake2b"]]
    except OSError as error:
        raise BadRunFolder(f"{folder} holds no complete run: {error.strerror}: {error.filename}") from None
    except (ValueError, KeyError, TypeError):
        raise BadRunFolder(f"{folder / MANIFEST} is no manifest of a run that this version can read") from None
    if other:
        raise BadRunFolder(f"{folder / other[0]} is not the file that {MANIFEST} tells of")
    return manifest


def plan_text(plan: Scenario | str, folder: Path, head: str) -> str:
    """Return the plan as a file of that folder, which runs again on the same seed; a text stays as it is.

    `head` is the comment that it begins with.
    """
    if isinstance(plan, str):
        return plan
    has_trace = any(workload.kind == "trace" for workload in plan.workload)
    hints = (_TRACE_HINT if has_trace else "") + (_CODE_HINT if runs_code(plan.router.policy.name) else "")
    return head + hints + dump(plan, folder)


def _header(result: RunResult) -> dict[str, Any]:
    return {
        "sim": __version__,
        "python": python_version(),
        "numpy": version("numpy"),
        "simpy": version("simpy"),
        "scenario": result.scenario,
        "variant": result.variant,
        "seed": result.seed,
        "digest": result.digest,
    }


def _entry(path: Path, rows: int | None) -> dict[str, Any]:
    """Describe a file: its hash and size, and its rows if it is a table."""
    entry = {"blake2b": checksum(path), "bytes": path.stat().st_size}
    return entry if rows is None else {**entry, "rows": rows}
