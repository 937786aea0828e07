"""Windows of time, in which a plot counts what happens: as many as can be told apart, and of round length."""


def window_length_s(asked_s: float | None, span_s: float, most: int) -> float:
    """Return the length that was asked for, else a round one that divides the span into `most` windows or fewer.

    ValueError unless a length that was asked for is above 0 s.
    """
    if asked_s is None:
        return nice_step(span_s or 1.0, most)
    if not asked_s > 0:
        raise ValueError(f"a window lasts more than 0 s, not {asked_s}")
    return asked_s


def nice_step(span: float, most: int) -> float:
    """Return the smallest 1, 2 or 5 times a power of ten that divides the span into `most` parts or fewer.

    ValueError unless the span is above 0.
    """
    if not span > 0:
        raise ValueError(f"a span is more than 0, not {span}")
    steps = (digit * 10.0**power for power in range(-9, 12) for digit in (1, 2, 5))
    return next(step for step in steps if step * most >= span * (1 - 1e-9))
