"""Names within a scenario: used ones exist, declared ones are unique.

Checked on the plain document, so that a misspelt node is reported along with whatever else is wrong in the file.
"""

from collections.abc import Iterator
from typing import Any

from sim.scenario.text.errors import Path, Problem, found, listed
from sim.scenario.text.merge import Locator


def reference_problems(locator: Locator) -> Iterator[Problem]:
    """Yield a problem for each name that is repeated or refers to nothing."""
    document = locator.document
    nodes, models = _names(document, "nodes"), _names(document, "models")
    yield from _repeated(locator, "nodes")
    yield from _repeated(locator, "models")
    for path, entry in _entries(document, ("models",)):
        for replica_path, replica in _entries(entry, ("replicas",)):
            yield from _unknown(locator, (*path, *replica_path, "node"), replica.get("node"), nodes, "node")
        for index, name in enumerate(_listed(entry.get("scheduling"), "conflicts")):
            yield from _unknown(locator, (*path, "scheduling", "conflicts", index), name, models, "model")
    for path, entry in _entries(document, ("workload",)):
        yield from _unknown(locator, (*path, "model"), entry.get("model"), models, "model")
    for path, entry in _entries(document, ("faults",)):
        yield from _targets(locator, path, entry, nodes, models)


def _targets(
    locator: Locator, path: Path, fault: dict[str, Any], nodes: dict[str, None], models: dict[str, None]
) -> Iterator[Problem]:
    """Yield a problem for each node, model, frontend or workload of a fault that the scenario does not have."""
    for key, known, what in (("node", nodes, "node"), ("model", models, "model"), ("other", models, "model")):
        yield from _unknown(locator, (*path, key), fault.get(key), known, what)
    for index, name in enumerate(_listed(fault, "nodes")):
        yield from _unknown(locator, (*path, "nodes", index), name, nodes, "node")
    frontends, sources = _frontends(locator.document), len(_listed(locator.document, "workload"))
    yield from _beyond(locator, (*path, "frontend"), fault.get("frontend"), frontends, "frontends")
    for index, frontend in enumerate(_listed(fault, "frontends")):
        yield from _beyond(locator, (*path, "frontends", index), frontend, frontends, "frontends")
    yield from _beyond(locator, (*path, "source"), fault.get("source"), sources, "the entries of workload")
    for key in ("nodes", "frontends"):
        yield from _listed_twice(locator, (*path, key), _listed(fault, key))


def _frontends(document: dict[str, Any]) -> Any:
    """Return how many frontends the document gives, in either form."""
    written = document.get("frontends", 1)
    return written.get("count", 1) if isinstance(written, dict) else written


def _listed(mapping: Any, key: str) -> tuple[Any, ...]:
    entries = mapping.get(key) if isinstance(mapping, dict) else None
    return entries if isinstance(entries, tuple) else ()


def _entries(document: Any, path: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the mappings in the list under a key, with their paths, as far as there are any."""
    entries = document.get(path[-1]) if isinstance(document, dict) else None
    for index, entry in enumerate(entries if isinstance(entries, tuple) else ()):
        if isinstance(entry, dict):
            yield (*path, index), entry


def _names(document: Any, key: str) -> dict[str, None]:
    return {entry["name"]: None for _, entry in _entries(document, (key,)) if isinstance(entry.get("name"), str)}


def _repeated(locator: Locator, key: str) -> Iterator[Problem]:
    seen: set[str] = set()
    for path, entry in _entries(locator.document, (key,)):
        name = entry.get("name")
        if isinstance(name, str) and name in seen:
            yield locator.problem((*path, "name"), f"found {found(name)} a second time; allowed: names that differ")
        elif isinstance(name, str):
            seen.add(name)


def _unknown(locator: Locator, path: Path, name: Any, known: dict[str, None], what: str) -> Iterator[Problem]:
    # If none is declared, that alone is reported.
    if known and isinstance(name, str) and name not in known:
        text = f"{found(name)} is not a {what}; allowed: {listed(known)}"
        yield locator.problem(path, text, word=name, known=tuple(known))


def _beyond(locator: Locator, path: Path, index: Any, count: Any, counted: str) -> Iterator[Problem]:
    # If the number itself is wrong, that is reported instead.
    if type(index) is int and type(count) is int and index >= count > 0:
        yield locator.problem(path, f"found {found(index)}; allowed: an index below {counted}, {count}")


def _listed_twice(locator: Locator, path: Path, entries: tuple[Any, ...]) -> Iterator[Problem]:
    seen: set[str | int] = set()
    for index, entry in enumerate(entries):
        if isinstance(entry, (str, int)) and entry in seen:
            yield locator.problem((*path, index), f"found {found(entry)} a second time; allowed: entries that differ")
        elif isinstance(entry, (str, int)):
            seen.add(entry)
