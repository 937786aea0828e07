"""How a router stands to known regressions, in marks, figures and sentences."""

from collections.abc import Iterator, Sequence

from sim.measure.catalogue import metric_of
from sim.measure.immunity import FALSE_ALARM, TOLERATED, Immunity, Standing
from sim.report.figures import scale_for
from sim.report.marks import Mark, Signs


def mark_of_standing(one: Standing) -> Mark:
    """Return the mark of a standing: failed, or a bug that shows and is excused or may be chance."""
    if one.immunity is Immunity.NOT_APPLICABLE:
        return Mark.NONE
    if one.immunity is Immunity.IMMUNE:
        return Mark.HELD
    return Mark.FAILED if one.fails else Mark.SHOWS_BUG


def word_for(one: Standing) -> str:
    """Return the verdict in one word."""
    return "excused" if one.is_excused else one.immunity.value


def figure_of(one: Standing, signs: Signs) -> str:
    """Write the metric's mean with half of its 95 % interval."""
    if one.figure is None:
        return signs.absent
    scale = scale_for(metric_of(one.known.metric).unit, [abs(one.figure.mean)], averaged=True)
    mean = scale.write(one.figure.mean)
    if not one.figure.half_width:
        return mean
    return f"{mean} {signs.plus_minus} {scale.write_half_width(one.figure.half_width)}"


def applicable(standings: Sequence[Standing]) -> list[Standing]:
    """Return those that were tried."""
    return [one for one in standings if one.immunity is not Immunity.NOT_APPLICABLE]


def findings(one: Standing) -> Iterator[str]:
    """Yield what is to be said if the router shows the regression: what it is, what shows it, how to see it again."""
    if one.worst is None:
        return
    yield f"{one.known.name}: {one.known.symptom}"
    yield f"{one.evidence}{_addition(one)}"
    if one.worst.command:
        yield one.worst.command


def _addition(one: Standing) -> str:
    addition = one.reason or one.known.excuse
    return f" ({addition})" if addition else ""


def verdict_in_words(policy: str, standings: Sequence[Standing]) -> str:
    """Return in how many regressions what was found; what makes a check fail comes first."""
    parts = []
    for immunity, words in (
        (Immunity.AFFECTED, "affected by"),
        (Immunity.UNCLEAR, "unclear in"),
        (Immunity.IMMUNE, "immune to"),
    ):
        found = [one for one in standings if one.immunity is immunity]
        excused = sum(one.is_excused for one in found)
        if found:
            parts.append(f"{words} {len(found)}{f' ({excused} excused)' if excused else ''}")
    return f"{policy}: {', '.join(parts) or 'tried on none'} of {len(applicable(standings))} known regressions"


def left_out(standings: Sequence[Standing]) -> dict[str, list[str]]:
    """Return the names of the regressions that a policy has no part in, by what decides them."""
    names: dict[str, list[str]] = {}
    for one in standings:
        if one.immunity is Immunity.NOT_APPLICABLE:
            names.setdefault(one.reason, []).append(one.known.name)
    return names


def left_out_in_words(standings: Sequence[Standing]) -> str:
    """Return how many regressions a policy has no part in, and what decides how many; empty if there are none."""
    names = left_out(standings)
    if not names:
        return ""
    return "not applicable: " + ", ".join(f"{len(of_reason)} {reason}" for reason, of_reason in names.items())


def rule_in_words(seeds: int, too_many: int) -> str:
    """Return by which rule a router is called affected, and how often that is wrong."""
    return (
        f"Affected: on {too_many} or more of {seeds} seeds a bound is broken that the repaired router keeps. If a "
        f"router breaks bounds on {100 * TOLERATED:g} % of seeds by chance alone, at most {100 * FALSE_ALARM:g} % of "
        "checks call it affected by anything (exact binomial tests, Bonferroni)."
    )
