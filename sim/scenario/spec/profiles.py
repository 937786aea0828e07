"""Router profiles: dated versions of LocalAI's router, and this project's repair of it, as sets of defaults.

One table: a behaviour a line, with what each profile does, in the order in which a request meets it. A scenario may
override every key. The versions are those of three commits:

- `pinned`: 2026-05-24, the parent of pull request 9968 (dcc5599f8);
- `fixed`: 2026-05-24, that pull request's own commit (8bbe89a53), and nothing later;
- `head`: 2026-08-22 (82c191afa).

`uncached` never existed: it is `fixed` without its cache of probes, to tell what the cache does from what routing every
request does. `hardened` is `head` without the faults that this project found. Most of its repairs are this project's
own; those that `head` has as well stand in both columns.
"""

from collections.abc import Mapping
from typing import Any, Literal, cast

ProfileName = Literal["pinned", "uncached", "fixed", "head", "hardened"]

_PREFIX_CACHE = {"name": "prefix_cache", "replica_index": "always_0", "on_new_row": "keep"}
"""The policy of LocalAI since 2026-05-30, with its two mistakes. Without a known prompt it is `best_replica`."""

# fmt: off
_COLUMNS = ("pinned", "fixed", "head", "hardened")
_TABLE: Mapping[tuple[str, ...], tuple[Any, Any, Any, Any]] = {
    ("policy",):                ("best_replica",   "best_replica",   _PREFIX_CACHE,              "best_replica"),
    ("client_cache",):          ("sticky",         "per_request",    "per_request",              "per_request"),
    ("cancellation",):          ("detached",       "detached",       "propagated",               "propagated"),
    ("pick",):                  ("read_committed", "read_committed", "read_committed",           "locked"),
    ("probe", "ttl"):           ("0s",             "30s",            "30s",                      "30s"),
    ("probe", "timeout"):       ("2s",             "2s",             "2s",                       "2s"),
    ("probe", "sharing"):       ("unshared",       "detached",       "leader_owned",             "detached"),
    ("probe", "on_timeout"):    ("remove_row",     "remove_row",     "remove_row",               "keep_row"),
    ("probe", "refresh"):       ("probes",         "probes",         "probes",                   "calls"),
    ("liveness",):              ("coarse_lock",    "coarse_lock",    "fine_lock",                "none"),
    ("failure_domain",):        ("model",          "model",          "model",                    "replica"),
    ("reservation",):           ("first_call",     "first_call",     "first_call_or_next_route", "request_scope"),
    ("on_registry_error",):     ("fail_open",      "fail_open",      "fail_open",                "fail_open"),
    ("on_failed_decrement",):   ("ignore",         "ignore",         "ignore",                   "retry"),
    ("on_wrong_model",):        ("keep_row",       "keep_row",       "remove_row",               "remove_row"),
    ("retry",):                 ("none",           "none",           "none",                     "none"),
    ("selector",):              ("in_pick",        "in_pick",        "in_pick",                  "in_pick"),
    ("control", "loads"):       ("inline",         "inline",         "job",                      "job"),
    ("control", "load_limit"):  ("fixed",          "fixed",          "by_size",                  "by_size"),
    ("control", "load_retry"):  ("at_once",        "at_once",        "at_once",                  "backoff"),
    ("control", "load_wait"):   ("60s",            "60s",            "60s",                      "60s"),
    ("control", "load_rows"):   ("on_success",     "on_success",     "lifecycle",                "lifecycle"),
    ("control", "placement"):   ("lenient",        "lenient",        "lenient",                  "strict"),
    ("control", "disk"):        ("ignored",        "ignored",        "headroom",                 "headroom"),
    ("control", "slots"):       ("counted",        "counted",        "counted",                  "counted"),
    ("control", "release"):     ("unload",         "unload",         "unload",                   "stop"),
    ("control", "installs"):    ("by_backend",     "by_backend",     "by_backend",               "by_backend"),
    ("control", "ports"):       ("reuse",          "reuse",          "quarantine",               "quarantine"),
    ("control", "node_status"): ("heeded",         "heeded",         "heeded",                   "heeded"),
    ("control", "monitor"):     ("every_miss",     "every_miss",     "every_miss",               "busy_is_alive"),
    ("control", "reaper"):      ("first_miss",     "first_miss",     "third_miss",               "worker_first"),
    ("control", "load_info"):   ("with_rows",      "with_rows",      "kept",                     "kept"),
    ("control", "exact_stop"):  ("by_loopback",    "by_loopback",    "by_loopback",              "by_key"),
    ("control", "edits"):       ("unload",         "unload",         "revision",                 "revision"),
    ("control", "pressure"):    ("ignored",        "ignored",        "heeded",                   "ignored"),
    ("control", "scaling"):     ("in_sequence",    "in_sequence",    "in_sequence",              "side_by_side"),
    ("control", "passes"):      ("every_frontend", "every_frontend", "every_frontend",           "once_per_tick"),
    ("control", "drain"):       ("at_once",        "at_once",        "at_once",                  "when_idle"),
}
# fmt: on


def _column(index: int) -> Mapping[str, Any]:
    """Return the profile in this column as it would be written under `router`."""
    router: dict[str, Any] = {}
    for path, values in _TABLE.items():
        part = router
        for step in path[:-1]:
            part = part.setdefault(step, {})
        part[path[-1]] = values[index]
    return router


_VERSIONS = {name: _column(index) for index, name in enumerate(_COLUMNS)}
_FIXED = _VERSIONS["fixed"]
_UNCACHED = {**_FIXED, "probe": {**_FIXED["probe"], "ttl": "0s", "sharing": "unshared"}}

PROFILES: Mapping[ProfileName, Mapping[str, Any]] = {
    "pinned": _VERSIONS["pinned"],
    "uncached": _UNCACHED,
    "fixed": _FIXED,
    "head": _VERSIONS["head"],
    "hardened": _VERSIONS["hardened"],
}
"""Each profile's defaults, as they would be written under `router`."""


def with_profile_defaults(router: Mapping[str, Any]) -> dict[str, Any]:
    """Return the router's keys with its profile's defaults under them; an unknown profile counts as `fixed`."""
    name = router.get("profile", "fixed")
    defaults = PROFILES.get(cast("ProfileName", name), _FIXED) if isinstance(name, str) else _FIXED
    parts = {part: _completed(defaults[part], router.get(part, {})) for part in ("probe", "control")}
    return {"profile": "fixed", **defaults, **router, **parts}


def _completed(defaults: Mapping[str, Any], written: Any) -> Any:
    return {**defaults, **written} if isinstance(written, dict) else written
