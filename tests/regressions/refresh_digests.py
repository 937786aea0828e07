"""Write the golden digests of the corpus anew, after a change that is meant to alter what a run does.

    python -m tests.regressions.refresh_digests [NAME ...]

With names, only theirs are written anew. Say in CHANGELOG.md, under "Runtime behaviour", what changed and why.
"""

from pathlib import Path

from tests.golden import refresh
from tests.regressions.shipped import NAMES, played

GOLDEN = Path(__file__).with_name("golden_digests.json")

if __name__ == "__main__":
    refresh(GOLDEN, NAMES, lambda name: played(name).results)
