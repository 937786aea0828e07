"""What `sim run` writes beside its tables: reports for CI and pull requests, and the baseline that is kept in git."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Self

from sim.cli.process.exits import BadInput
from sim.cli.process.report_files import check_report_file, publish, write_report
from sim.measure.judged_run import JudgedRun, by_variant
from sim.scenario import ScenarioFile

if TYPE_CHECKING:
    from sim.measure.changes.baseline import Baseline
    from sim.measure.changes.baseline_changes import BaselineChange


class ScenarioRuns(NamedTuple):
    """A scenario and what came of its runs."""

    file: ScenarioFile
    runs: Sequence[JudgedRun]


@dataclass(frozen=True, slots=True)
class RunReports:
    """Which files to write, and what to compare with; None for what is not wanted."""

    junit: Path | None = None
    markdown: Path | None = None
    save_baseline: Path | None = None
    baseline: "Baseline | None" = None

    @classmethod
    def checked(
        cls,
        files: Sequence[ScenarioFile],
        junit: Path | None,
        markdown: Path | None,
        save_baseline: Path | None,
        baseline: Path | None,
    ) -> Self:
        """Read the baseline, and raise BadInput for what cannot be read or written, before anything runs."""
        names = Counter(file.name for file in files)
        twice = next((name for name, count in names.items() if count > 1), None)
        if twice is not None and (save_baseline is not None or baseline is not None):
            raise BadInput(f"two scenarios are called {twice}; allowed with a baseline: different names")
        check_report_file("--junit", junit)
        check_report_file("--markdown", markdown)
        check_report_file("--save-baseline", save_baseline)
        return cls(junit, markdown, save_baseline, None if baseline is None else _read(baseline))

    def write(self, scenarios: Sequence[ScenarioRuns]) -> "list[BaselineChange]":
        """Write what is wanted, and return what has changed since the baseline. Raises CannotWrite."""
        changes = self._beside_baseline(scenarios)
        if self.junit is not None:
            # Here, as most runs need no XML.
            from sim.report.ci.junit import junit_xml

            write_report(self.junit, junit_xml([(one.file.name, one.runs) for one in scenarios]))
        publish(partial(_markdown, scenarios, changes), self.markdown)
        return changes

    def _beside_baseline(self, scenarios: Sequence[ScenarioRuns]) -> "list[BaselineChange]":
        if self.baseline is None and self.save_baseline is None:
            return []
        # Here, as most runs have no baseline.
        from sim.measure.changes.baseline import baseline_text
        from sim.measure.changes.baseline_changes import baseline_changes

        now = _baseline_of(scenarios)
        if self.save_baseline is not None:
            write_report(self.save_baseline, baseline_text(now))
        return [] if self.baseline is None else baseline_changes(self.baseline, now)


def _read(path: Path) -> "Baseline":
    from sim.measure.changes.baseline import BadBaseline, read_baseline

    try:
        return read_baseline(path.read_text(encoding="utf-8"))
    except BadBaseline as error:
        raise BadInput(f"--baseline: {path}: {error}") from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is no text"
        raise BadInput(f"--baseline: {path} cannot be read: {reason}; allowed: a file of --save-baseline") from None


def _baseline_of(scenarios: Sequence[ScenarioRuns]) -> "Baseline":
    from sim.measure.changes.baseline import entry_of
    from sim.study.comparison import CHIEF_METRICS

    return {
        (one.file.name, variant): entry_of(runs, CHIEF_METRICS)
        for one in scenarios
        for variant, runs in by_variant(one.runs).items()
    }


def _markdown(scenarios: Sequence[ScenarioRuns], changes: "Sequence[BaselineChange]") -> str:
    from sim.report.ci.run_markdown import run_markdown
    from sim.report.column import columns
    from sim.report.terminal.table import ScenarioTable

    return run_markdown([ScenarioTable.of(one.file, columns(one.runs)) for one in scenarios], changes)
