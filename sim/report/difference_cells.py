"""Differences between variants as the cells of a table, for outputs that have room for whole intervals."""

from collections.abc import Iterator, Sequence

from sim.measure.differences import Difference


def known_differences(rows: Sequence[Difference]) -> list[Difference]:
    """Return the rows that have figures."""
    return [row for row in rows if row.a is not None]


def difference_head(base: str, rows: Sequence[Difference]) -> list[str]:
    """Return the titles of the columns; of several variants, each line names its own."""
    variants = list(dict.fromkeys(row.variant for row in rows))
    return ["", base, variants[0] if len(variants) == 1 else "variant", "difference", "interval", "verdict"]


def difference_cells(rows: Sequence[Difference]) -> Iterator[list[str]]:
    """Yield the cells of each row under that head; all rows have figures."""
    names_variant = len({row.variant for row in rows}) > 1
    for row in rows:
        yield [
            row.metric,
            f"{row.a:.6g}",
            f"{row.variant} {row.b:.6g}" if names_variant else f"{row.b:.6g}",
            f"{row.difference:+.4g}",
            "" if row.interval is None else f"{row.interval.low:+.4g} to {row.interval.high:+.4g}",
            row.words,
        ]
