"""What the tests share: the driver under which a story of the routing code is run, and how examples are drawn."""

import gc
import os
from collections.abc import Generator

import pytest
from hypothesis import HealthCheck, settings

from sim.study.batch import cores
from tests.drivers import DRIVERS, Driver

# A slow machine is no reason for a test to fail. Each run tries other examples.
settings.register_profile("any machine", deadline=None, max_examples=50, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")

# Else each of the many processes that tests start would compile the package for itself.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

SHARE_A_LIVE_RUN = ("tests/live/recording/", "tests/live/cluster/test_live_control_plane.py")


class FailuresAtOnce:
    """Shows each failure when it happens, not only when all tests have been run."""

    def __init__(self, terminal: pytest.TerminalReporter) -> None:
        self._terminal = terminal

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Print the failure below the dots."""
        if report.failed:
            self._terminal.ensure_newline()
            self._terminal.section(f"{report.nodeid} failed", sep="-", red=True)
            self._terminal.write_line(report.longreprtext)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Show failures at once wherever there is somebody to see them."""
    terminal = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None:
        config.pluginmanager.register(FailuresAtOnce(terminal))


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Keep what is collected from the garbage collector: it lives to the end, and a look at it takes half a second."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that share a live run: workers take over from each other's ends, and would play it anew."""
    items.sort(key=lambda item: not item.nodeid.startswith(SHARE_A_LIVE_RUN))


def pytest_xdist_auto_num_workers() -> int | None:
    """Return three workers for two cores: those that play live wait for real time more than they work."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None  # pytest-xdist itself looks at it.
    return cores() * 3 // 2


@pytest.fixture(params=list(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Driver:
    """Return each driver in turn, so that a test runs in both worlds."""
    return DRIVERS[request.param]
