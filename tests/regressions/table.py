"""Write docs/reference/regressions.md: `python -m tests.regressions.table`.

It runs the corpus on 20 seeds and says what came of it, which takes some minutes on two cores.
What it says is dated; a test holds that no regression is missing.
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from sim import check
from sim.measure.immunity import Immunity, Known, Standing, beyond_chance, standing
from sim.measure.judged_run import JudgedRun
from sim.report.ci.markdown import code, plain, table
from sim.report.marks import UNICODE
from sim.report.standings import figure_of
from sim.routing.policies.catalogue import POLICIES
from sim.scenario import Scenario
from sim.scenario.spec.router import RouterSpec
from sim.study.batch import cores, run_batch
from sim.study.process_executor import ProcessExecutor
from sim.study.regressions.check import jobs_beside
from sim.study.regressions.corpus import KnownRegression, load_corpus
from tests.regressions.shipped import FOLDER

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reference" / "regressions.md"
SEEDS = range(1, 21)
LOCKED = "router.pick=locked"


@dataclass(frozen=True)
class Row:
    """One regression: how its broken and repaired variants and LocalAI of today stand to the repaired one's bounds."""

    one: KnownRegression
    broken: Standing
    repaired: Standing
    head: Standing


def rows(corpus: Sequence[KnownRegression], executor: Executor) -> list[Row]:
    """Run all that the first table shows. Raises AssertionError if a variant is not what its file says of it."""
    return [row(one, executor) for one in corpus]


def row(one: KnownRegression, executor: Executor) -> Row:
    variants = one.file.variants
    repaired = variants[one.about.repaired]
    head = repaired.model_copy(update={"router": RouterSpec.model_validate({"profile": "head"})})
    found = Row(
        one,
        _standing(one, one.about.broken, variants[one.about.broken], executor),
        _standing(one, one.about.repaired, repaired, executor),
        _standing(one, "head", head, executor),
    )
    assert found.broken.broken == len(SEEDS), found.broken
    assert found.repaired.immunity is Immunity.IMMUNE, found.repaired
    return found


def _standing(one: KnownRegression, variant: str, scenario: Scenario, executor: Executor) -> Standing:
    jobs = jobs_beside(one, variant, scenario, SEEDS)
    runs = [_on_its_metric(run, one) for of_job in run_batch(jobs, executor) for run in of_job]
    known = Known(one.name, one.about.symptom, one.about.metric)
    return standing(known, runs, beyond_chance(len(SEEDS), 1))


def _on_its_metric(run: JudgedRun, one: KnownRegression) -> JudgedRun:
    """Leave out what the repaired variant keeps beside the metric: a version may break that for reasons of its own."""
    return replace(
        run, verdicts=tuple(verdict for verdict in run.verdicts if verdict.metric.endswith(one.about.metric))
    )


def of_corpus(found: Sequence[Row]) -> str:
    head = ["Regression", "Symptom", "Metric", "Broken", "Repaired", "LocalAI `head`", "Found in"]
    lines = [
        [
            f"[{one.one.name}](../../scenarios/regressions/{one.one.file.path.name})",
            plain(one.one.about.symptom),
            code(one.one.about.metric),
            *(plain(figure_of(figure, UNICODE)) for figure in (one.broken, one.repaired)),
            f"{one.head.immunity}: {plain(figure_of(one.head, UNICODE))}",
            plain(one.one.about.source),
        ]
        for one in found
    ]
    return table(head, lines, flush_left=(0, 1, 2, 6))


def of_policies(executor: Executor) -> str:
    """Return which policies are immune to which of the regressions that a policy can bring about."""
    policies: list[tuple[str, tuple[str, ...]]] = [(name, ()) for name in POLICIES]
    policies.insert(1, ("best_replica", (LOCKED,)))
    results = [check(name, sets=sets, seeds=len(SEEDS), executor=executor) for name, sets in policies]
    names = [f"{name}, locked" if sets else name for name, sets in policies]
    tried = [one.known.name for one in results[0].standings if one.immunity is not Immunity.NOT_APPLICABLE]
    head = ["", *names]
    return table(
        head, [[_label(results[0][name]), *(str(result[name].immunity) for result in results)] for name in tried]
    )


def _label(one: Standing) -> str:
    """Return the regression's name, with a star if it is a limit of a whole family of policies."""
    return f"{one.known.name}{'*' if one.known.excuse else ''}"


def page(today: str, executor: Executor) -> str:
    corpus = load_corpus(FOLDER)
    return f"""# Known regressions

Each row is a scenario in `scenarios/regressions/` with a variant that shows the regression and one that does not. The
figures are means over {len(SEEDS)} seeds with half of the 95 % interval, measured on {today} by
`python -m tests.regressions.table`. The column `head` is LocalAI of 2026-08-22 in the same scenario; it is affected if
it breaks what the repaired variant keeps of the metric.

{of_corpus(rows(corpus, executor))}

`sim list --regressions` lists them, and each file tells its story at its top.

## Which policies are immune

`sim check POLICY` tries a policy on those that a policy can bring about. These are the policies that come with `sim`,
with their own defaults, on the same day and {len(SEEDS)} seeds. A star marks a limit of a whole family of policies:
`sim check` excuses it unless it is `--strict`.

{of_policies(executor)}
"""


if __name__ == "__main__":
    with ProcessExecutor(cores()) as workers:
        text = page(datetime.now(UTC).date().isoformat(), workers)
    PAGE.parent.mkdir(exist_ok=True)
    PAGE.write_text(text, encoding="utf-8")
