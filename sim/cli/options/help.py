"""Help that several commands have in common."""

OUT_HELP = (
    "Also write DIR/summary.json and, for each run, DIR/<scenario>/<variant>/seed-<n>/ with its tables (Parquet), "
    "metrics and plan. Files are replaced whole or not at all."
)
OVERWRITE_HELP = "Let --out replace files in a folder that is not empty."

ALLOW_CODE_HELP = "Let the scenario's policy be code of your own: module:name, ./file.py:name or exec:./program."


def examples(*lines: str) -> str:
    """What the help of a command says below its options: lines that run as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines), ""])
