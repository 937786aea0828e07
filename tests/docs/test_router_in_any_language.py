"""The page about routers in any language tells the truth: its examples keep the protocol, its lines fit the schema."""

import json
import shutil
import subprocess
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from sim.programs.conformance import DEMANDS, findings
from sim.programs.process import Program
from sim.programs.schema import protocol_schema
from tests.docs.pages import blocks, page

PAGE = page("how-to/router-in-any-language")


@pytest.mark.parametrize("text", blocks(PAGE, "json"), ids=lambda text: ", ".join(json.loads(text)))
def test_a_line_fits_the_schema(text: str) -> None:
    jsonschema.Draft202012Validator(protocol_schema()).validate(json.loads(text))


def kept(path: Path) -> list[bool | None]:
    return [one.kept for one in findings(Program(path), {})]


def test_the_whole_program_keeps_the_protocol(tmp_path: Path) -> None:
    [text] = blocks(PAGE, "python")
    path = tmp_path / "my_picker"
    path.write_text(text)
    path.chmod(0o755)

    assert kept(path).count(True) == len(DEMANDS) - 1  # It asks for no events.


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")
def test_the_program_in_go_keeps_the_protocol_and_hears_how_requests_ended(tmp_path: Path) -> None:
    [text] = blocks(PAGE, "go")
    (tmp_path / "my_picker.go").write_text(text)
    subprocess.run(["go", "build", "my_picker.go"], cwd=tmp_path, check=True)

    assert kept(tmp_path / "my_picker") == [True] * len(DEMANDS)
