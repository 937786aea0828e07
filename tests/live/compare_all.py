"""Live runs of four scenarios beside their simulated twins: `python -m tests.live.compare_all`, over two hours.

It plays each scenario on SQLite and on a PostgreSQL of its own, three times, and lists every figure that is not where
the twin's replications are. The machine should have nothing else to do: the calibrations before and after a run show
how fast it was then, not what came between.
"""

import argparse
import json
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

from tests.cli.command import command

ROOT = Path(__file__).parents[2]
SCENARIOS = ("cache_pinning", "probe_stall", "burst_herd", "blast_radius")
DATABASES = ("sqlite", "postgres")


def main() -> None:
    """Compare what the command line names, and exit with 1 if a figure is outside."""
    parser = argparse.ArgumentParser(prog="python -m tests.live.compare_all", description=__doc__.splitlines()[0])
    parser.add_argument("scenarios", nargs="*", default=SCENARIOS, help="names in scenarios/; all four if not given")
    parser.add_argument("--database", choices=DATABASES, action="append", help="repeat it for more; both if not given")
    parser.add_argument("--times", type=int, default=3, help="how often each is played")
    parser.add_argument("--time-scale", default="0.1")
    given = parser.parse_args()
    outside = 0
    runs = product(range(1, given.times + 1), given.scenarios, given.database or DATABASES)
    for number, scenario, database in runs:
        rows = _compared(scenario, database, given.time_scale)
        failed = [row for row in rows if not row["passed"]]
        outside += len(failed)
        print(f"{number}. {scenario} on {database}: {len(rows) - len(failed)} of {len(rows)} agree", flush=True)
        for row in failed:
            print(f"   {row['variant']}: {row['metric']} is {row['live']}, not {row['tolerance']}", flush=True)
    sys.exit(1 if outside else 0)


def _compared(scenario: str, database: str, time_scale: str) -> list[dict[str, Any]]:
    """Return the rows of one comparison; exits if it could not be made."""
    path = str(ROOT / "scenarios" / f"{scenario}.yaml")
    options = ("--time-scale", time_scale, "--registry", database, "--compare", "--json")
    done = subprocess.run(command("live", path, *options), capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        sys.exit(f"{scenario} on {database}: {done.stderr}")
    rows: list[dict[str, Any]] = json.loads(done.stdout)["rows"]
    return rows


if __name__ == "__main__":
    main()
