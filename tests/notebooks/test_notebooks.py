"""Notebooks run from top to bottom, from their own folder and from the root, and are stored without outputs."""

from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
FOLDERS = {"its folder": ROOT / "notebooks", "the root": ROOT}


@pytest.mark.slow
@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_to_its_end_wherever_it_is_started(path: Path, folder: str) -> None:
    notebook = read(path)

    NotebookClient(notebook, timeout=120, resources={"metadata": {"path": str(FOLDERS[folder])}}).execute()

    assert all(cell["execution_count"] for cell in notebook["cells"] if cell["cell_type"] == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_is_stored_without_outputs_and_for_any_python_3(path: Path) -> None:
    notebook = read(path)

    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert [cell for cell in code if cell["outputs"] or cell["execution_count"]] == []
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert "version" not in notebook["metadata"]["language_info"]


def test_there_is_a_notebook() -> None:
    assert NOTEBOOKS


def read(path: Path) -> Any:
    reader: Any = nbformat.read
    return reader(path, as_version=4)
