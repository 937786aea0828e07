"""The documentation is a site that opens from disk, in which no link is dead."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import PAGES, README, ROOT, text

LINK = re.compile(r"\]\(<?([^)#>\s]+)(?:#[^)]*)?\)")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(path: Path) -> None:
    links = [link for link in LINK.findall(text(path)) if "://" not in link]

    assert [link for link in links if not (path.parent / link).exists()] == []


def test_the_readme_names_every_chapter() -> None:
    chapters = [path for path in PAGES if path.parent.name in ("tutorial", "how-to")]

    linked = {(README.parent / link).resolve() for link in LINK.findall(text(README))}
    assert [chapter for chapter in chapters if chapter not in linked] == []


def test_the_site_is_built_without_a_warning_and_fetches_nothing(tmp_path: Path) -> None:
    options = ["--quiet", "--strict", "-f", str(ROOT / ".mkdocs.yml"), "-d", str(tmp_path)]
    build = [sys.executable, "-m", "mkdocs", "build", *options]
    done = subprocess.run(build, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    pages = {path: text(path) for path in tmp_path.rglob("*.html")}
    assert len(pages) >= len(PAGES)
    fetched = re.compile(r"<(?:script|img|iframe)[^>]* src=[\"']?https?:|<link[^>]*stylesheet[^>]*href=[\"']?https?:")
    assert [path for path, page in pages.items() if fetched.search(page)] == []
