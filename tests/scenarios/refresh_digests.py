"""Write the golden digests anew, after a change that is meant to alter what a run does.

    python -m tests.scenarios.refresh_digests [NAME ...]

With names, only theirs are written anew. Say in CHANGELOG.md, under "Runtime behaviour", what changed and why.
"""

from pathlib import Path

from tests.golden import refresh
from tests.scenarios.shipped import NAMES, results

GOLDEN = Path(__file__).with_name("golden_digests.json")

if __name__ == "__main__":
    refresh(GOLDEN, NAMES, results)
