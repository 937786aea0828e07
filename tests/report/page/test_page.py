"""The page as a file: it loads nothing, runs only its own scripts, and takes no name for anything but a text."""

import json
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest

from sim.measure.saved.result_folder import ResultFolder
from sim.measure.saved.run_folder import read, read_choices
from sim.report.page.page import Pair, page_html
from sim.report.page.section import Section
from sim.report.page.timeline import Timeline, timeline_of
from sim.study.reports.reported import reported, table_of
from tests.report.page.conftest import ABOUT


class Parts(HTMLParser):
    """The elements of a page, as a browser takes it apart, and the text within some of them."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, list[str]] = {"script": [], "h1": [], "option": [], "p": []}
        self._within = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._within = tag
        if tag in self.texts:
            self.texts[tag].append("")

    def handle_endtag(self, tag: str) -> None:
        self._within = ""

    def handle_data(self, data: str) -> None:
        if self._within in self.texts:
            self.texts[self._within][-1] += data

    def scripts(self, kind: str | None) -> list[str]:
        kinds = [attributes.get("type") for tag, attributes in self.elements if tag == "script"]
        return [text for text, one in zip(self.texts["script"], kinds, strict=True) if one == kind]


@pytest.fixture(scope="module")
def parts(page: str) -> Parts:
    return Parts(page)


_LINKS = ("src", "href", "xlink:href", "action", "data")


def loads(parts: Parts) -> list[str]:
    """Return what the page's elements would fetch."""
    links = [attributes.get(name) for _, attributes in parts.elements for name in _LINKS]
    return [link for link in links if link and not link.startswith(("#", "data:"))]


def test_no_element_fetches_anything(parts: Parts) -> None:
    assert loads(parts) == []


@pytest.mark.parametrize("planted", ['<img src="x.png">', '<link href="y.css" rel="stylesheet">'])
def test_a_planted_fetch_is_found(page: str, planted: str) -> None:
    assert len(loads(Parts(page.replace("</main>", f"{planted}</main>")))) == 1


def test_the_browser_is_told_to_load_nothing_and_to_run_only_the_scripts_that_are_there(parts: Parts) -> None:
    [policy] = [one["content"] for _, one in parts.elements if one.get("http-equiv") == "Content-Security-Policy"]
    hashes = [f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'" for text in parts.scripts(None)]

    assert policy == f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {' '.join(hashes)}"


def test_a_text_that_looks_like_a_script_stays_a_text(parts: Parts) -> None:
    assert ABOUT in parts.texts["p"]


def test_a_name_that_looks_like_a_script_stays_a_name(results: ResultFolder) -> None:
    [scenario] = reported([results])
    section = Section(replace(table_of(scenario), name=ABOUT))
    run = Timeline(ABOUT, ABOUT, "", {"lanes": [{"label": ABOUT, "node": ABOUT}]}, {})

    parts = Parts(page_html([section], [run, run], [Pair(0, 1, None)]))

    assert parts.texts["h1"] == [ABOUT]
    assert parts.texts["option"] == [ABOUT, ABOUT, "none", ABOUT, ABOUT]
    assert len(parts.scripts(None)) == 2
    [content] = parts.scripts("application/json")
    assert json.loads(content)["runs"][0]["title"] == ABOUT


def test_the_licences_of_the_library_are_in_the_page(page: str) -> None:
    assert "Copyright 2010-2026 Mike Bostock" in page
    assert "THE SOFTWARE IS PROVIDED" in page


def test_equal_runs_give_equal_pages(results: ResultFolder, fixed: Path) -> None:
    def made() -> str:
        sections = [Section(table_of(one)) for one in reported([results])]
        return page_html(sections, [timeline_of(read(fixed), "fixed", read_choices(fixed))], [])

    assert made() == made()


def test_the_verdict_stands_before_the_figures_and_what_failed_is_said(page: str) -> None:
    text = re.sub("<[^>]*>", "", page)

    assert text.index("1 of 1 expectations failed") < text.index("requests.completed after 1s: 4, expected &gt;= 5")
    assert text.index("requests.completed after 1s: 4, expected &gt;= 5") < text.index("Side by side")
