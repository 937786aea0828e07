"""Write the pages that are made from the code: `python -m tests.docs.draw`."""

from collections.abc import Callable, Mapping

from tests.docs.pages import page
from tests.docs.reference import commands, faults, policies, scenario

DRAWN: Mapping[str, Callable[[], str]] = {
    "reference/scenario": scenario.drawn,
    "reference/faults": faults.drawn,
    "reference/policies": policies.drawn,
    "reference/commands": commands.drawn,
}
"""By the name of the page."""

if __name__ == "__main__":
    for name, drawn in DRAWN.items():
        page(name).write_text(drawn(), encoding="utf-8")
