"""One run's folder: its figures, tables and plan, and a manifest of them that is written last."""

import json
from functools import partial
from importlib.metadata import version
from pathlib import Path
from platform import python_version
from typing import Any

import pyarrow as pa
from pyarrow import parquet

from sim import __version__
from sim.cli.staged_files import StagedFiles, checksum
from sim.scenario import Scenario, dump
from sim.study.run import RunResult

TABLES = ("requests", "probes", "picks", "events")
_PLAN_HEAD = "# One run, complete: `sim run plan.yaml` repeats it, with the same digest.\n"
_TRACE_HINT = "# Its trace file is looked for beside it, and in the folder that --allow-dir names.\n"


def save_run(folder: Path, result: RunResult, summary: str) -> None:
    """Write the run's files to its folder, all or none. Raises CannotWrite.

    A folder without a manifest, or with one whose hashes do not match, is not complete.
    """
    with StagedFiles(folder) as files:
        rows: dict[str, int] = {}
        paths = {"summary.json": files.add_text("summary.json", f"{summary}\n")}
        for table in TABLES:
            name = f"{table}.parquet"
            # Converted and written one by one, so that only one is in memory at a time.
            content = pa.Table.from_pandas(getattr(result, table), preserve_index=False)
            rows[name] = content.num_rows
            paths[name] = files.add(name, partial(parquet.write_table, content))
        paths["plan.yaml"] = files.add_text("plan.yaml", plan_text(result.scenario))
        manifest = {
            **_header(result),
            "files": {name: _entry(path, rows.get(name)) for name, path in paths.items()},
        }
        files.add_text("manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")


def plan_text(scenario: Scenario) -> str:
    """Return the scenario as a file that runs again, on the same seed."""
    has_trace = any(workload.kind == "trace" for workload in scenario.workload)
    return _PLAN_HEAD + (_TRACE_HINT if has_trace else "") + dump(scenario)


def _header(result: RunResult) -> dict[str, Any]:
    return {
        "sim": __version__,
        "python": python_version(),
        "numpy": version("numpy"),
        "simpy": version("simpy"),
        "scenario": result.scenario.name,
        "variant": result.variant,
        "seed": result.seed,
        "digest": result.digest,
    }


def _entry(path: Path, rows: int | None) -> dict[str, Any]:
    """Describe a file: its hash and size, and its rows if it is a table."""
    entry = {"blake2b": checksum(path), "bytes": path.stat().st_size}
    return entry if rows is None else {**entry, "rows": rows}
