"""The page of all keys of a scenario file."""

from tests.docs.reference.keys import SCHEMA, Schema, sections, sentences, table

INTRODUCTION = f"""# Scenario keys

{SCHEMA["description"]} How one is written is told in [write a scenario](../how-to/write-a-scenario.md); the faults have
[a page of their own](faults.md). `sim schema` prints the same as JSON Schema, for editors.

A key of `router` that is not written comes from the profile:
[versions of LocalAI](../explanation/versions-of-localai.md).
A variant has the keys of the file, and needs none of them.
"""


def drawn() -> str:
    """All keys, a table for each mapping."""
    parts = [INTRODUCTION, f"## The file\n\n{table(SCHEMA)}"]
    told = set()
    for path, spec in sections(SCHEMA):
        # Some mappings stand in many places, such as the tokens of a prompt and of an answer.
        if path.startswith("faults") or spec["description"] in told:
            continue
        told.add(spec["description"])
        parts.append(f"## {_title(path, spec)}\n\n{sentences(spec['description'])}\n\n{table(spec)}")
    return "\n".join(parts)


def _title(path: str, spec: Schema) -> str:
    kind = spec["properties"].get("kind", {}).get("const")
    return f"`{path}`, kind `{kind}`" if kind else f"`{path}`"
