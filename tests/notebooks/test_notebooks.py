"""Notebooks are stored without outputs; the first one runs wherever it is started.

`.ci/run` runs all of them from their folder, each once, and keeps what they show.
"""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))


# CI runs each of them once anyway, for what it shows.
@pytest.mark.long
@pytest.mark.parametrize(
    "folder", [pytest.param(ROOT, id="the root"), pytest.param(ROOT / "notebooks", id="its folder")]
)
def test_a_notebook_runs_to_its_end_wherever_it_is_started(folder: Path) -> None:
    notebook = read(NOTEBOOKS[0])

    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(folder)}}).execute()

    assert all(cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_for_any_python_3(path: Path) -> None:
    notebook = read(path)

    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in notebook["metadata"]["language_info"]


def test_there_are_six_notebooks_in_order() -> None:
    assert [path.name[:3] for path in NOTEBOOKS] == [f"{number:02d}-" for number in range(1, 7)]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_asks_a_question_holds_its_claims_and_answers(path: Path) -> None:
    first, *_, last = (cell["source"] for cell in read(path)["cells"])
    code = [cell["source"] for cell in read(path)["cells"] if cell["cell_type"] == "code"]

    assert "**Question" in first
    assert "**What this shows.**" in last
    assert any("assert " in cell for cell in code)
    assert max(len(cell.splitlines()) for cell in code) <= 30


def read(path: Path) -> Any:
    reader: Any = nbformat.read
    return reader(path, as_version=4)
