"""Write docs/explanation/which-policy.md: `python -m tests.policies.table`.

It compares the built-in policies on four loads, on 20 seeds, and takes about four minutes of processor time.
What it says is dated; a test holds that no policy is missing.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from sim import compare
from sim.measure.differences import Difference, Finding
from sim.report.ci.markdown import code, table
from sim.study.batch import cores
from sim.study.comparison import Comparison
from tests.policies.loads import BASE, EQUAL_HERE, FOLDER, LOADS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "explanation" / "which-policy.md"
ADVICE = Path(__file__).with_name("advice.md")
SEEDS = 20
METRICS = ("latency.mean_s", "latency.p99_s", "fairness.capacity_jain")
WORDS = {Finding.A: "worse", Finding.B: "better", Finding.SAME: "same", Finding.UNCLEAR: "unclear"}


def comparisons() -> dict[str, Comparison]:
    """Run every load, and return what came of it by its name."""
    return {load: compare(FOLDER / f"{load}.yaml", a=BASE, metrics=METRICS, reps=SEEDS, jobs=cores()) for load in LOADS}


def lines(comparison: Comparison) -> Iterator[list[str]]:
    """Yield a row for each policy: its figures, and by how much its latencies differ from the base's."""
    rows = [comparison.row(metric, comparison.question.b[0]) for metric in METRICS]
    yield [code(BASE), f"{rows[0].a:.2f}", "", f"{rows[1].a:.2f}", "", f"{rows[2].a:.3f}"]
    for policy in comparison.question.b:
        mean, tail, even = (comparison.row(metric, policy) for metric in METRICS)
        yield [code(policy), f"{mean.b:.2f}", change(mean), f"{tail.b:.2f}", change(tail), f"{even.b:.3f}"]


def change(row: Difference) -> str:
    """Say by which part of the base's figure it differs, with the interval, and what that means."""
    if row.interval is None or not row.a:
        return ""
    low, high = (100 * bound / row.a for bound in (row.interval.low, row.interval.high))
    middle, half = (low + high) / 2, (high - low) / 2
    return f"{middle:+.0f} % ± {half:.0f}, {WORDS[row.verdict]}"


def page(today: str) -> str:
    """Return the whole page; it takes minutes."""
    head = ["", "mean s", f"against {code(BASE)}", "p99 s", f"against {code(BASE)}", "Jain's index by capacity"]
    parts = [
        f"## {load.replace('_', ' ').capitalize()}\n\n"
        f"[scenarios/policies/{load}.yaml](../../scenarios/policies/{load}.yaml)\n\n{table(head, lines(comparison))}"
        for load, comparison in comparisons().items()
    ]
    left_out = "\n".join(f"- {code(name)}: {reason}" for name, reason in EQUAL_HERE.items())
    body = "\n\n".join(parts)
    return f"""# Which policy for whom

Eleven policies on four loads, each on the same requests and {SEEDS} seeds, with picks that do not run into each other
(`pick: locked`). Latency is from arrival to the last token. The differences are paired, and all intervals of one load
hold at once with 95 % confidence. `python -m tests.policies.table` measured them on {today}.

Left out:

{left_out}

{ADVICE.read_text(encoding="utf-8").strip()}

{body}
"""


if __name__ == "__main__":
    PAGE.write_text(page(datetime.now(UTC).date().isoformat()), encoding="utf-8")
