"""A decision in words: what was taken, why, and each replica with its figures and ranks."""

from collections.abc import Iterator
from pkgutil import resolve_name

from sim.measure.story.decision import Decision, Figure, Rank, Rule
from sim.routing.policies.catalogue import BUILT_IN

FIGURE_NAMES = {
    Figure.IN_FLIGHT: "in flight",
    Figure.LAST_USED: "last used (s)",
    Figure.FREE_VRAM: "free VRAM (GB)",
}
REASONS = {
    Rule.ONLY_ONE: "there is no other",
    Rule.IN_FLIGHT: "it has the fewest requests in flight",
    Rule.LAST_USED: "no other has fewer in flight, and of those with as few it is the least recently used",
    Rule.FREE_VRAM: "it has the most free VRAM of those that no other figure tells apart",
    Rule.TIES: "no figure tells it apart from others, and it is the one that the policy's rule for ties took",
    Rule.FIRST: "no figure tells it apart from others, and it is the first of them in the registry's order",
}
"""Why a replica was taken, by the rules that figures tell."""
_RANKED = {Figure.IN_FLIGHT: "requests in flight", Figure.LAST_USED: "last use", Figure.FREE_VRAM: "free VRAM"}


def decision_in_words(decision: Decision) -> str:
    """Return what was decided, and why."""
    if not decision.seen:
        return f"{decision.policy} is shown no replica"
    if decision.taken is None:
        return f"{decision.policy} takes none of the {len(decision.seen)}"
    taken = f"{decision.policy} takes {decision.seen[decision.taken].replica}"
    if decision.rule in REASONS:
        return f"{taken}: {REASONS[decision.rule]}"
    ranks = [f"{_place(decision.rank(decision.taken, figure))} in {name}" for figure, name in _RANKED.items()]
    return f"{taken} by its own rule{_rule_of(decision.policy)}; it ranks {', '.join(ranks)}"


def _rule_of(policy: str) -> str:
    """Return what a built-in policy says that it does; nothing of a policy that somebody else has written."""
    if policy not in BUILT_IN:
        return ""
    sentence = (resolve_name(BUILT_IN[policy]).__doc__ or "").partition("\n")[0].rstrip(".")
    return f" ({sentence[:1].lower()}{sentence[1:]})" if sentence else ""


def figure_cells(in_flight: int, last_used_s: float, available_vram_bytes: int) -> tuple[str, str, str]:
    """Return a replica's figures as they are written below `FIGURE_NAMES`."""
    return f"{in_flight}", f"{last_used_s:.6f}", f"{available_vram_bytes / 1e9:.6g}"


def candidate_heads(decision: Decision) -> tuple[str, ...]:
    """Return what stands above the figures of the replicas: their capacities only if they differ."""
    return (*FIGURE_NAMES.values(), "capacity") if _capacities_differ(decision) else tuple(FIGURE_NAMES.values())


def candidate_cells(decision: Decision) -> Iterator[tuple[str, ...]]:
    """Yield a line a replica: whether it was taken, its label, and each figure, those of its load with their ranks."""
    has_capacity = _capacities_differ(decision)
    for place, one in enumerate(decision.seen):
        written = figure_cells(one.in_flight, one.last_used_ns / 1e9, one.available_vram_bytes)
        ranks = (_place(decision.rank(place, figure)) for figure in Figure)
        figures = [f"{figure} ({rank})" for figure, rank in zip(written, ranks, strict=True)]
        capacity = [f"{one.capacity:.6g}"] if has_capacity else []
        yield ">" if place == decision.taken else "", one.replica, *figures, *capacity


def _capacities_differ(decision: Decision) -> bool:
    return len({one.capacity for one in decision.seen}) > 1


def _place(rank: Rank) -> str:
    ending = "th" if 10 <= rank.place % 100 <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(rank.place % 10, "th")
    return f"{rank.place}{ending}{'=' if rank.equals else ''}"
