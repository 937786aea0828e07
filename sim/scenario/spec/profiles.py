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
    "control": {
        "loads": "inline",
        "load_limit": "fixed",
        "load_wait": "60s",
        "placement": "lenient",
        "release": "unload",
        "ports": "reuse",
        "monitor": "every_miss",
        "reaper": "first_miss",
        "load_info": "with_rows",
        "passes": "every_frontend",
        "drain": "at_once",
    },
}
_UNCACHED: Mapping[str, Any] = {**_PINNED, "client_cache": "per_request"}
_FIXED: Mapping[str, Any] = {**_UNCACHED, "probe": {**_PINNED["probe"], "ttl": "30s", "singleflight": True}}
_HARDENED: Mapping[str, Any] = {
    **_FIXED,
    "pick": "locked",
    "probe": {**_FIXED["probe"], "flight": "detached", "on_timeout": "keep_row", "refresh": "calls"},
    "control": {
        "loads": "job",
        "load_limit": "by_size",
        "load_wait": "60s",
        "placement": "strict",
        "release": "stop",
        "ports": "quarantine",
        "monitor": "busy_is_alive",
        "reaper": "third_miss",
        "load_info": "kept",
        "passes": "once_per_tick",
        "drain": "when_idle",
    },
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
    parts = {part: _completed(defaults[part], router.get(part, {})) for part in ("probe", "control")}
    return {"profile": "fixed", **defaults, **router, **parts}


def _completed(defaults: Mapping[str, Any], written: Any) -> Any:
    return {**defaults, **written} if isinstance(written, dict) else written
