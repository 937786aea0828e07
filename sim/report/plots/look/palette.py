"""One cue for one thing: a colour is a replica, a line style with its marker is a variant.

The colours are those of M. Okabe and K. Ito, "Color Universal Design" (2008), which readers with any kind of colour
vision tell apart. Black is left out, because text and the lines of variants have it.
"""

import re
from collections.abc import Iterable, Mapping
from itertools import cycle
from typing import NamedTuple

from matplotlib.colors import to_hex, to_rgb

INK = "#1b1b1c"
"""Text, axes and the lines of variants."""
FAINT = "#8a8a8f"
"""What stands behind: grids and references. Visible on white and on black."""

_OKABE_ITO = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00", "#F0E442")
_ROUNDS = (0.0, 0.5, -0.4)
"""How far each further round of the colours is mixed with white or, below 0, with black."""


class VariantStyle(NamedTuple):
    """How a variant is drawn: its line and its points."""

    line: str | tuple[float, tuple[float, ...]]
    marker: str


_STYLES = (
    VariantStyle("solid", "o"),
    VariantStyle("dashed", "s"),
    VariantStyle("dotted", "^"),
    VariantStyle("dashdot", "D"),
    VariantStyle((0, (8, 2)), "v"),
    VariantStyle((0, (1, 4)), "P"),
    VariantStyle((0, (6, 2, 1, 2, 1, 2)), "X"),
    VariantStyle((0, (3, 6)), "*"),
)


def replica_colours(labels: Iterable[str]) -> dict[str, str]:
    """Return a colour for each replica, by the order of the labels, in which node-2 comes before node-10.

    Further rounds of the seven colours are lighter, then darker; from the 22nd replica on they are used again.
    """
    colours = cycle(_mixed(colour, part) for part in _ROUNDS for colour in _OKABE_ITO)
    return dict(zip(sorted(set(labels), key=natural), colours, strict=False))


def variant_styles(variants: Iterable[str]) -> Mapping[str, VariantStyle]:
    """Return a style for each variant, in the order given; from the ninth on they are used again."""
    return dict(zip(dict.fromkeys(variants), cycle(_STYLES), strict=False))


def natural(label: str) -> tuple[tuple[str, int], ...]:
    """Return a key by which labels are sorted with their numbers as numbers."""
    return tuple((text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", label))


def _mixed(colour: str, part: float) -> str:
    target = 1.0 if part > 0 else 0.0
    red, green, blue = (channel + abs(part) * (target - channel) for channel in to_rgb(colour))
    return to_hex((red, green, blue))
