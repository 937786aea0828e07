"""Scenario files as pytest sees them: a collector for each file and variant, and a test for each expectation."""

import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from sim.report.ci.junit import figures_of
from sim.routing.clients import TooManyRequests
from sim.routing.policies.port import PolicyError
from sim.scenario import ScenarioError
from sim.simulated.kernel.livelock import Livelock
from sim.study.errors import WorkerDied
from sim.study.scenarios import load
from sim.testing.expectation_names import name_of
from sim.testing.failure import failure_message
from sim.testing.file_runs import FileRuns, Runner, SharedRuns, run_here

_SHARED = "sim_runs"
"""Where the workers of xdist find the folder of the runs that they share."""


class ScenarioTests:
    """The part of the plugin that works only if scenario files are to be collected."""

    def __init__(self, config: pytest.Config, folders: Sequence[Path]) -> None:
        self._folders = folders
        self._takes_all = bool(config.getoption("sim"))
        self._shared: TemporaryDirectory[str] | None = None
        shared = getattr(config, "workerinput", {}).get(_SHARED)
        self._runner: Runner = run_here if shared is None else SharedRuns(Path(shared))
        names_no_path = config.args_source is not pytest.Config.ArgsSource.ARGS
        if names_no_path and config.invocation_params.dir == config.rootpath:
            # As with `testpaths`: who names no path in the project's own folder means all that is set up.
            config.args += [str(folder) for folder in folders if not _is_below(folder, map(Path, config.args))]

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        """Take a YAML file that was asked for as a scenario."""
        is_wanted = self._takes_all or _is_below(file_path, self._folders)
        if file_path.suffix not in (".yaml", ".yml") or not is_wanted:
            return None
        collector: pytest.Collector = ScenarioCollector.from_parent(parent, path=file_path, runner=self._runner)
        return collector

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Tell each worker of xdist where to find what another one has run already."""
        if self._shared is None:
            self._shared = TemporaryDirectory(prefix="sim-pytest-")
        node.workerinput[_SHARED] = self._shared.name

    def pytest_unconfigure(self) -> None:
        """Delete what the workers have shared."""
        if self._shared is not None:
            self._shared.cleanup()


class ScenarioCollector(pytest.File):
    """A scenario file."""

    def __init__(self, *, runner: Runner, **node: Any) -> None:
        super().__init__(**node)
        self._runner = runner

    def collect(self) -> Iterator["VariantCollector"]:
        """Yield a collector for each variant. The scenario's faults are a collection error in its own words."""
        try:
            # As somebody would write the path who runs the command line of a failure.
            file = load(os.path.relpath(self.path), allow_code=self.config.getoption("allow_code"))
        except ScenarioError as error:
            raise self.CollectError(str(error)) from None
        if not file.expect:
            pytest.skip(f"{file.path} expects nothing", allow_module_level=True)
        runs = FileRuns(file, self._runner)
        for variant in file.variants:
            yield VariantCollector.from_parent(self, name=variant, runs=runs)


class VariantCollector(pytest.Collector):
    """One variant of a scenario file."""

    def __init__(self, *, runs: FileRuns, **node: Any) -> None:
        super().__init__(**node)
        self._runs = runs

    def collect(self) -> Iterator["ExpectationTest"]:
        """Yield a test for each expectation that is about the variant."""
        taken: Counter[str] = Counter()
        for place, expectation in enumerate(self._runs.expectations(self.name)):
            name = name_of(expectation)
            taken[name] += 1
            name += f"#{taken[name]}" if taken[name] > 1 else ""
            # Its id as text, because pytest 9.2 makes another one from a name with a bracket than it reads for --lf.
            node = {"name": name, "nodeid": f"{self.nodeid}::{name}"}
            yield ExpectationTest.from_parent(self, **node, runs=self._runs, place=place)


class ExpectationTest(pytest.Item):
    """What a scenario file expects of one variant, as a test. The first test of a file that needs a run makes it."""

    def __init__(self, *, runs: FileRuns, place: int, **node: Any) -> None:
        super().__init__(**node)
        self._runs = runs
        self._place = place
        self._variant = node["parent"].name

    def runtest(self) -> None:
        """Judge the runs, and keep the figures as the properties of the test."""
        verdict = self._runs.verdict(self._variant, self._place)
        self.user_properties += figures_of(verdict, self._runs.digest(verdict)).items()
        if not verdict.passed:
            raise ExpectationFailed(failure_message(self._runs.file, verdict))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Show what is to be said about the scenario without the frames of the simulator."""
        error = excinfo.value
        if isinstance(error, ExpectationFailed | PolicyError | Livelock | TooManyRequests | WorkerDied):
            return str(error)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, None, str]:
        """Return the file, and what stands above a failure."""
        return self.path, None, f"{self.path.name}: {self._variant}: {self.name}"


class ExpectationFailed(Exception):
    """A scenario did not do what its file expects. The text is for people."""


def _is_below(path: Path, folders: Iterable[Path]) -> bool:
    return any(path == folder or folder in path.parents for folder in folders)
