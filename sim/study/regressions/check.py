"""A router against every known regression: run it in the scenario of each, and judge it as the repaired router is."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sim.measure.immunity import Known, beyond_chance, not_applicable, standing
from sim.scenario import Expectation, Scenario, ScenarioError, ScenarioFile
from sim.scenario.policies.check import policy_problem
from sim.scenario.spec.base import MOST_SEED
from sim.scenario.spec.policy import PolicySpec
from sim.scenario.text.errors import did_you_mean, listed
from sim.study.batch import Job, RunSpec, Watcher, run_batch
from sim.study.errors import NoSuchRegression
from sim.study.process_executor import sharing_out
from sim.study.regressions.corpus import KnownRegression, corpus_folder, load_corpus
from sim.study.regressions.results import CheckResults

SEEDS = 20
"""On how many each regression is tried unless told otherwise."""
_HANDED_OVER = "mine"
"""The name in scenarios of a policy that is a Python object."""


@dataclass(frozen=True, slots=True)
class CheckOptions:
    """What a check may be told beside the policy; see `check`."""

    sets: Sequence[str] = ()
    corpus: str | Path | None = None
    allow: Sequence[str] = ()
    strict: bool = False
    seeds: int = SEEDS
    seed: int | None = None
    allow_code: bool = False


def check(
    policy: object,
    *,
    sets: Sequence[str] = (),
    corpus: str | Path | None = None,
    allow: Sequence[str] = (),
    strict: bool = False,
    seeds: int = SEEDS,
    seed: int | None = None,
    allow_code: bool = False,
    jobs: int = 1,
    executor: Executor | None = None,
) -> CheckResults:
    """Try a router on every known regression.

    The policy is a function, class or object, or a name as a scenario writes it; then files are seen from the working
    directory. `sets` override single values, as in `router.pick=locked`. A `corpus` is a folder of scenarios with a
    `regression` block, that of `sim` unless given. `allow` names regressions that the router is excused from; limits of
    a whole family of policies are excused too, unless `strict`. The seeds are `seed`, that of each scenario unless
    given, and the next ones. `allow_code`, `jobs` and `executor` are those of `run_all`.

    A router that breaks the bounds of each regression on 5 % of all seeds or fewer is called affected by any of them in
    at most 1 % of all checks; see `beyond_chance`.

    Raises NoSuchRegression, ScenarioError if a file or the policy cannot be used, PolicyError if the policy fails in a
    run, WorkerDied, and ValueError for a number that makes no sense.
    """
    plan = planned(policy, CheckOptions(sets, corpus, allow, strict, seeds, seed, allow_code))
    with sharing_out(executor, min(jobs, len(plan.jobs))) as used:
        return plan.carried_out(used)


@dataclass(frozen=True, slots=True)
class Trial:
    """One regression, and the runs that tell how the router stands to it, one a seed."""

    known: Known
    jobs: tuple[Job, ...]
    why_none: str = ""
    """Why there are no runs; empty if there are."""


@dataclass(frozen=True, slots=True)
class CheckPlan:
    """What a check will run."""

    policy: str
    sets: tuple[str, ...]
    seeds: int
    too_many: int
    trials: tuple[Trial, ...]

    @property
    def jobs(self) -> list[Job]:
        """The runs, regression by regression."""
        return [job for trial in self.trials for job in trial.jobs]

    def carried_out(self, executor: Executor | None = None, watcher: Watcher | None = None) -> CheckResults:
        """Run and judge. Raises PolicyError and WorkerDied."""
        done = run_batch(self.jobs, executor, watcher)
        standings = []
        for trial in self.trials:
            if trial.why_none:
                standings.append(not_applicable(trial.known, trial.why_none))
                continue
            runs = [run for _ in trial.jobs for run in next(done)]
            standings.append(standing(trial.known, runs, self.too_many))
        return CheckResults(self.policy, self.sets, self.seeds, self.too_many, tuple(standings))


def planned(policy: object, options: CheckOptions) -> CheckPlan:
    """Return the plan of a check. Nothing runs yet; the errors are those of `check`."""
    corpus = _corpus_with(policy, options)
    names = [one.name for one in corpus]
    for name in options.allow:
        if name not in names:
            hint = did_you_mean(name, names)
            raise NoSuchRegression(f"found no regression {name!r}; allowed: {listed(names, 'in the corpus')}{hint}")
    number = sum(one.about.check_in is not None for one in corpus)
    return CheckPlan(
        policy if isinstance(policy, str) else getattr(policy, "__name__", type(policy).__name__),
        tuple(options.sets),
        options.seeds,
        beyond_chance(options.seeds, number),
        tuple(_trial(one, options) for one in corpus),
    )


def bounds_of(file: ScenarioFile, repaired: str, variant: str) -> Iterator[Expectation]:
    """Yield the limits that the repaired variant has to keep, as expectations of single runs of another variant.

    Expectations that name the repaired variant come first, since they are about the regression: the first one on its
    metric sets the window in which the metric is shown. Comparisons are left out, because the variants to compare with
    are not run.
    """
    unlimited = {"above": None, "below": None, "over": None, "for_every_seed": False, "shows": None}
    for one in sorted(file.expect, key=lambda one: one.variant is None):
        if one.is_about(repaired) and one.limits:
            yield one.model_copy(update={**unlimited, "variant": variant})


def jobs_beside(one: KnownRegression, variant: str, scenario: Scenario, seeds: Iterable[int]) -> tuple[Job, ...]:
    """Return a run of the scenario for each seed, under the variant's name, with what the repaired one has to keep."""
    bounds = tuple(bounds_of(one.file, one.about.repaired, variant))
    file = replace(one.file, variants={variant: scenario}, expect=bounds)
    return tuple(Job(file, (RunSpec(variant, seed),)) for seed in seeds)


def _corpus_with(policy: object, options: CheckOptions) -> list[KnownRegression]:
    """Return the corpus with this policy in each variant."""
    given: Mapping[str, object] | None = None
    name = policy if isinstance(policy, str) else _HANDED_OVER
    if not isinstance(policy, str):
        given = {name: policy}
    elif problem := policy_problem(name, Path(), "POLICY", allow_code=options.allow_code):
        raise ScenarioError([problem])
    folder = corpus_folder() if options.corpus is None else Path(options.corpus)
    sets = partial(_sets_in, PolicySpec(name), options.sets)
    return load_corpus(folder, sets, allow_code=options.allow_code, policies=given)


def _sets_in(policy: PolicySpec, sets: Sequence[str], folder: Path) -> Sequence[str]:
    return (f"router.policy={policy.seen_from(folder).name}", *sets)


def _trial(one: KnownRegression, options: CheckOptions) -> Trial:
    about = one.about
    known = Known(one.name, about.symptom, about.metric, _excuse(one, options))
    if about.check_in is None:
        return Trial(known, (), f"decided by {one.decided_by}")
    scenario = one.file.variants[about.check_in]
    first = scenario.seed if options.seed is None else options.seed
    if not 0 <= first <= MOST_SEED - options.seeds + 1:
        raise ValueError(f"{one.name}: seeds {first} and the next {options.seeds - 1} are not from 0 to {MOST_SEED}")
    return Trial(known, jobs_beside(one, about.check_in, scenario, range(first, first + options.seeds)))


def _excuse(one: KnownRegression, options: CheckOptions) -> str:
    """Return why the router may be affected by the regression without failing; empty if it may not."""
    if one.name in options.allow:
        return "allowed"
    return "a limit of its whole family" if one.about.family_limit and not options.strict else ""
