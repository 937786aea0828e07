"""Router profiles: named sets of defaults, each of which a scenario may override.

`pinned` is LocalAI's router as it was when a frontend kept the first route it got; `uncached` routes every request and
probes every time; `fixed` adds the shared probe cache; `hardened` adds what this project learned from simulating it.
"""

from collections.abc import Mapping
from typing import Any, Literal

ProfileName = Literal["pinned", "uncached", "fixed", "hardened"]

_PINNED: Mapping[str, Any] = {
    "policy": "best_replica",
    "client_cache": "sticky",
    "pick": "read_committed",
    "probe": {
        "ttl": "0s",
        "timeout": "2s",
        "singleflight": False,
        "flight": "leader_owned",
        "on_timeout": "remove_row",
        "refresh": "probes",
    },
}
_UNCACHED: Mapping[str, Any] = {**_PINNED, "client_cache": "per_request"}
_FIXED: Mapping[str, Any] = {**_UNCACHED, "probe": {**_PINNED["probe"], "ttl": "30s", "singleflight": True}}
_HARDENED: Mapping[str, Any] = {
    **_FIXED,
    "pick": "locked",
    "probe": {**_FIXED["probe"], "flight": "detached", "on_timeout": "keep_row", "refresh": "calls"},
}
PROFILES: Mapping[str, Mapping[str, Any]] = {
    "pinned": _PINNED,
    "uncached": _UNCACHED,
    "fixed": _FIXED,
    "hardened": _HARDENED,
}
"""Each profile's defaults, as they would be written under `router`."""


def with_profile_defaults(router: Mapping[str, Any]) -> dict[str, Any]:
    """Return the router's keys with its profile's defaults under them; an unknown profile counts as `fixed`."""
    name = router.get("profile", "fixed")
    defaults = PROFILES.get(name, _FIXED) if isinstance(name, str) else _FIXED
    probe = router.get("probe", {})
    full_probe = {**defaults["probe"], **probe} if isinstance(probe, dict) else probe
    return {"profile": "fixed", **defaults, **router, "probe": full_probe}
