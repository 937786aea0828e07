"""Write the golden digests anew, after a change that is meant to alter what a run does.

    python -m tests.scenarios.refresh_digests

Say in CHANGELOG.md, under "Runtime behaviour", what changed and why.
"""

import json
from pathlib import Path

from tests.scenarios.shipped import NAMES, results

GOLDEN = Path(__file__).with_name("golden_digests.json")


def digests() -> dict[str, dict[str, str]]:
    """Return the digest of every variant of every shipped scenario, on the scenario's own seed."""
    return {name: {variant: result.digest for variant, result in results(name).items()} for name in NAMES}


if __name__ == "__main__":
    GOLDEN.write_text(json.dumps(digests(), indent=2) + "\n", encoding="utf-8")
