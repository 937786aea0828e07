"""What the help of a command ends with."""


def examples(*lines: str) -> str:
    """Return the part of a command's help that shows lines which run as they are."""
    return "\n".join(["\b", "Examples:", *(f"  {line}" for line in lines), ""])
