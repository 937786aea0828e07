"""A scenario with an unkind text, run on two seeds, and its page."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser

from sim.measure.result import RunResult
from sim.measure.saved.result_folder import ResultFolder, read_result_folder
from sim.measure.saved.run_folder import read, read_choices
from sim.study.reports.result_page import result_page
from tests.cli.command import SMALL, sim
from tests.report.chromium import chromium

ABOUT = '</script><script>document.title = "stolen"</script>& <i>m'


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> ResultFolder:
    """The runs of both variants on two seeds."""
    home = tmp_path_factory.mktemp("page")
    expect = "expect:\n  - {variant: fixed, metric: requests.completed, min: 5, after: 1s}\n"
    (home / "small.yaml").write_text(SMALL.replace("Four requests on two replicas.", f"'{ABOUT}'") + expect)
    done = sim("run", "small.yaml", "--reps", "2", "--out", "runs", folder=home)
    assert done.stderr == ""
    return read_result_folder(home / "runs")


@pytest.fixture(scope="session")
def page(results: ResultFolder) -> str:
    """The page of the runs."""
    return result_page([results])


@pytest.fixture(scope="session")
def fixed(results: ResultFolder) -> Path:
    """The folder of the run of `fixed` that the page shows."""
    return next(one.folder for one in results.runs if (one.run.variant, one.run.seed) == ("fixed", 3))


@pytest.fixture(scope="module")
def result(fixed: Path) -> RunResult:
    """That run, read from its folder."""
    return read(fixed)


@pytest.fixture(scope="module")
def choices(fixed: Path) -> pd.DataFrame:
    """What the picks of that run chose from."""
    found = read_choices(fixed)
    assert found is not None
    return found


@pytest.fixture(scope="session")
def file(page: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page on disk."""
    file = tmp_path_factory.mktemp("browser") / "page.html"
    file.write_text(page)
    return file


# Not for longer than a module: Playwright has an event loop running meanwhile, beside which no other can be started.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for the tests of a module."""
    with chromium() as browser:
        yield browser
