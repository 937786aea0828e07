"""What a policy's own keys may be: each check raises ValueError that says what was found and what is allowed."""

_MOST_S = 1e6


def check_number(key: str, found: float, least: float, most: float) -> None:
    """Refuse a number that is not in this range, both ends included, or is no number."""
    if not least <= found <= most:
        raise ValueError(f"{key}: found {found:g}; allowed: from {least:g} to {most:g}")


def check_time(key: str, found_s: float) -> None:
    """Refuse a time of 0 s, or of more than 1e6 s."""
    if not 0 < found_s <= _MOST_S:
        raise ValueError(f"{key}: found {found_s:g}; allowed: more than 0, up to 1e6")


def check_count(key: str, found: int, least: int) -> None:
    """Refuse a count that is smaller."""
    if found < least:
        raise ValueError(f"{key}: found {found}; allowed: {least} or more")
