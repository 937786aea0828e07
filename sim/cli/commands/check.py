"""`sim check`: try a policy on every known regression, show what affects it, and return the exit code."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from sim.cli.process.exits import BadInput, ExitCode
from sim.cli.process.output import complain, emit
from sim.cli.process.progress import progress
from sim.cli.process.report_files import check_report_file, publish, write_report
from sim.cli.process.workers import workers
from sim.cli.scenario_files import check_folder
from sim.measure.document import to_json
from sim.scenario import ScenarioError
from sim.study.batch import cores
from sim.study.errors import NoSuchRegression
from sim.study.regressions.check import CheckOptions, CheckPlan, planned
from sim.study.regressions.results import CheckResults


@dataclass(frozen=True, slots=True)
class CheckReports:
    """How the results are told; None for a file that is not wanted."""

    junit: Path | None = None
    markdown: Path | None = None
    as_json: bool = False

    def check(self) -> None:
        """Raise BadInput for what cannot be written, before anything runs."""
        check_report_file("--junit", self.junit)
        check_report_file("--markdown", self.markdown)

    def tell(self, results: CheckResults) -> None:
        """Print and write the results. Raises CannotWrite."""
        if self.as_json:
            emit(f"{to_json(results.document)}\n")
        else:
            _show(results)
        if self.junit is not None:
            # Here, as most checks need no XML.
            from sim.report.ci.check_reports import check_junit

            write_report(self.junit, check_junit(results.policy, results.standings))
        publish(partial(_markdown, results), self.markdown)


def check_command(policy: str, options: CheckOptions, reports: CheckReports, *, processes: int | None) -> ExitCode:
    """Check the policy on that many processes, or on all cores, and return the exit code.

    Raises BadInput before anything runs, PolicyError and WorkerDied later, and CannotWrite.
    """
    reports.check()
    plan = _planned(policy, options)
    if not plan.jobs:
        complain(f"{policy}: no policy decides any of these regressions: nothing was tried")
        return ExitCode.NOTHING
    with progress(len(plan.jobs)) as display, workers(min(processes or cores(), len(plan.jobs))) as executor:
        results = plan.carried_out(executor, display)
    reports.tell(results)
    return ExitCode.BROKEN if results.failed else ExitCode.HELD


def _planned(policy: str, options: CheckOptions) -> CheckPlan:
    if options.corpus is not None:
        check_folder(options.corpus, "--corpus: ")
    try:
        return planned(policy, options)
    except NoSuchRegression as error:
        raise BadInput(f"--allow: {error}") from None
    except (ScenarioError, ValueError) as error:
        raise BadInput(str(error)) from None


def _show(results: CheckResults) -> None:
    # Here, because `--json` does not need rich.
    from sim.cli.process.console import show
    from sim.report.terminal.check import CheckTable

    show(CheckTable(results.policy, results.seeds, results.too_many, results.standings))


def _markdown(results: CheckResults) -> str:
    from sim.report.ci.check_reports import check_markdown

    return check_markdown(results.policy, results.seeds, results.too_many, results.standings)
