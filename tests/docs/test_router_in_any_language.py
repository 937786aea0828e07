"""The page about routers in any language tells the truth: its examples keep the protocol, its lines fit the schema."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import jsonschema  # type: ignore[import-untyped]
import pytest

from sim.programs.conformance import DEMANDS, findings
from sim.programs.process import Program
from sim.programs.schema import protocol_schema

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "router-in-any-language.md"
TEXT = PAGE.read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, flags=re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize("text", blocks("json"), ids=lambda text: ", ".join(json.loads(text)))
def test_a_line_fits_the_schema(text: str) -> None:
    jsonschema.Draft202012Validator(protocol_schema()).validate(json.loads(text))


def kept(path: Path) -> list[bool | None]:
    return [one.kept for one in findings(Program(path), {})]


def test_the_whole_program_keeps_the_protocol(tmp_path: Path) -> None:
    [text] = blocks("python")
    path = tmp_path / "my_picker"
    path.write_text(text)
    path.chmod(0o755)

    assert kept(path).count(True) == len(DEMANDS) - 1  # It asks for no events.


@pytest.mark.skipif(shutil.which("go") is None, reason="go is not installed")
def test_the_program_in_go_keeps_the_protocol_and_hears_how_requests_ended(tmp_path: Path) -> None:
    [text] = blocks("go")
    (tmp_path / "my_picker.go").write_text(text)
    subprocess.run(["go", "build", "my_picker.go"], cwd=tmp_path, check=True)

    assert kept(tmp_path / "my_picker") == [True] * len(DEMANDS)


def test_every_file_that_the_page_names_is_there() -> None:
    links = re.findall(r"\]\(([^)]*)\)", TEXT)

    assert len(links) >= 4
    assert [link for link in links if not (PAGE.parent / link).is_file()] == []
