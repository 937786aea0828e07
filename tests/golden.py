"""Digests that were written down, so that a change of what a run does is noticed."""

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from sim import RunResult

Digests = dict[str, str]
"""By variant."""


def digests_of(results: Mapping[str, RunResult]) -> Digests:
    """Return the digest of every variant."""
    return {variant: result.digest for variant, result in results.items()}


def written_down(path: Path) -> dict[str, Digests]:
    """Return the digests in the file, by scenario."""
    digests: dict[str, Digests] = json.loads(path.read_text(encoding="utf-8"))
    return digests


def refresh(path: Path, names: Sequence[str], results: Callable[[str], Mapping[str, RunResult]]) -> None:
    """Write new digests of the scenarios that the command line names, or of all if it names none.

    Scenarios without a digest always get one.
    """
    chosen = sys.argv[1:] or names
    known = written_down(path) if path.exists() else {}
    anew = {name: digests_of(results(name)) if name in chosen or name not in known else known[name] for name in names}
    path.write_text(json.dumps(anew, indent=2) + "\n", encoding="utf-8")
