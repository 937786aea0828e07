"""Write the golden digests of the corpus anew, after a change that is meant to alter what a run does.

    python -m tests.regressions.refresh_digests [NAME ...]

With names, only theirs are written anew. Say in CHANGELOG.md, under "Runtime behaviour", what changed and why.
"""

import json
import sys
from pathlib import Path

from tests.regressions.shipped import NAMES, Played, played

GOLDEN = Path(__file__).with_name("golden_digests.json")


def golden() -> dict[str, dict[str, str]]:
    """Return the digests that were written down, by scenario and variant."""
    written: dict[str, dict[str, str]] = json.loads(GOLDEN.read_text(encoding="utf-8"))
    return written


def digests(one: Played) -> dict[str, str]:
    """Return the digest of every variant."""
    return {variant: result.digest for variant, result in one.results.items()}


if __name__ == "__main__":
    chosen = sys.argv[1:] or NAMES
    known = golden() if GOLDEN.exists() else {}
    anew = {name: digests(played(name)) if name in chosen or name not in known else known[name] for name in NAMES}
    GOLDEN.write_text(json.dumps(anew, indent=2) + "\n", encoding="utf-8")
