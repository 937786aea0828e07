"""The run that is told by hand."""

import pytest

from sim import RunResult
from tests.report.plots.by_hand import told


@pytest.fixture(scope="package")
def result() -> RunResult:
    return told()
