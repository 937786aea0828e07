"""The page of all faults."""

from sim.scenario import FAULT_KINDS
from tests.docs.reference.keys import SCHEMA, Schema, sections, sentences, table

INTRODUCTION = """# Faults

What the `faults` of a scenario may be, as in `faults: [{kind: node_crash, node: n0, at: 62s}]`.
[Break things](../how-to/break-things.md) has a scenario that uses them.
"""


def drawn() -> str:
    """All kinds, family by family, a table of keys for each."""
    specs = {spec["properties"]["kind"]["const"]: spec for path, spec in sections(SCHEMA) if path == "faults"}
    parts = [INTRODUCTION]
    for family, kinds in FAULT_KINDS.items():
        parts.append(f"## Of the {family}\n")
        parts.extend(_section(kind, specs[kind]) for kind in kinds)
    return "\n".join(parts)


def _section(kind: str, spec: Schema) -> str:
    keys = {key: one for key, one in spec["properties"].items() if key != "kind"}
    return f"### `{kind}`\n\n{sentences(spec['description'])}\n\n{table({**spec, 'properties': keys})}"
