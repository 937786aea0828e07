"""Figures and names as titles say them."""


def percent(share: float) -> str:
    """Write a share (0 to 1) without decimals; only what is all reads 100 %, and only what is nothing 0 %."""
    if 0.995 <= share < 1:
        return "over 99 %"
    if 0 < share < 0.005:
        return "under 1 %"
    return f"{share * 100:.0f} %"


def seconds(value: float) -> str:
    """Write a time with three digits, in the unit that suits it."""
    return f"{value * 1000:.3g} ms" if value < 0.1 else f"{value:.3g} s"


def count(number: int, thing: str) -> str:
    """Write a number of things, such as `1 row` or `2,000 rows`."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"
