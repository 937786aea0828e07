"""The built-in policies by name. A new one is a file beside this one and a line here."""

from collections.abc import Mapping
from typing import Final

POLICIES: Final[Mapping[str, str]] = {
    "best_replica": "sim.routing.policies.best_replica:BestReplica",
}
"""Where each is, as `module:name`; imported when it is needed."""
