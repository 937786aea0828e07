"""The pytest plugin: fixtures that run scenarios and, if asked for, a test for each expectation of a scenario file.

`pytest --sim scenarios/` makes tests of the scenario files among the paths, and the setting `sim_scenarios = scenarios`
of those in a folder, whenever pytest is run. Every pytest imports this module where `sim` is installed, so it imports
little itself.
"""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sim.measure.result import RunResult
    from sim.study.comparison import Comparison


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--sim`, `--allow-code` and the setting `sim_scenarios`."""
    group = parser.getgroup("sim", "scenarios of sim")
    group.addoption(
        "--sim",
        action="store_true",
        help="make a test of each expectation in the scenario files (.yaml, .yml) among the given paths",
    )
    group.addoption(
        "--allow-code",
        action="store_true",
        help="let a scenario's policy be code of your own: module:name or ./file.py:name",
    )
    parser.addini("sim_scenarios", "scenario files, and folders of them, to make tests of", type="paths", default=[])


def pytest_configure(config: pytest.Config) -> None:
    """Have scenario files collected, if anybody asked for it."""
    folders: list[Path] = config.getini("sim_scenarios")
    if config.getoption("sim") or folders:
        # Here, because most runs of pytest are not about scenarios.
        from sim.testing.collection import ScenarioTests

        config.pluginmanager.register(ScenarioTests(config, folders), "sim-scenarios")


@pytest.fixture
def sim_run(request: pytest.FixtureRequest) -> "Callable[..., RunResult]":
    """Return `sim.run` for scenario files beside the test: `sim_run("mine.yaml", variant="fixed", seed=7)`.

    Paths start from the folder of the test. `--allow-code` allows code of the scenario's own.
    """
    from sim.study.run import run

    return _beside_test(request, run)


@pytest.fixture
def sim_compare(request: pytest.FixtureRequest) -> "Callable[..., Comparison]":
    """Return `sim.compare` for scenario files beside the test: `sim_compare("mine.yaml", a="base", b="mine")`.

    Paths start from the folder of the test. `--allow-code` allows code of the scenario's own.
    """
    from sim.study.compare import compare

    return _beside_test(request, compare)


def _beside_test(request: pytest.FixtureRequest, function: Callable[..., Any]) -> Callable[..., Any]:
    def called(file: Any, *args: Any, **options: Any) -> Any:
        if isinstance(file, str | Path):
            file = request.path.parent / file
            options = {"allow_code": request.config.getoption("allow_code"), **options}
        return function(file, *args, **options)

    return called
