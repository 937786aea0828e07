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


def nice_step(span: float, most: int) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that divides the span into `most` parts or fewer.

    ValueError unless the span is above 0.
    """
    if not span > 0:
        raise ValueError(f"a span is more than 0, not {span}")
    steps = (digit * 10.0**power for power in range(-9, 12) for digit in (1, 2, 5))
    return next(step for step in steps if step * most >= span * (1 - 1e-9))
