"""Whether anybody can read and work the page: contrast, narrow windows, the keyboard alone."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser

from tests.report.chromium import NEEDS_CHROMIUM
from tests.report.page.opened import Opened

pytestmark = NEEDS_CHROMIUM

LEAST_CONTRAST = 4.5  # What WCAG 2.2 asks of texts (1.4.3, level AA).
TEXTS_TOO_FAINT = """(least) => {
    const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
    const light = (colour) => {
        const [r, g, b] = numbers(colour).map((one) => one / 255)
            .map((one) => (one <= 0.04045 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
        const colour = getComputedStyle(one).backgroundColor;
        const isSeen = colour.startsWith("rgb(");
        return isSeen || !one.parentElement ? colour : behind(one.parentElement);
    };
    const texts = [...document.querySelectorAll("p, li, td, th, h1, h2, h3, h4, button, a, time, summary, label")];
    return texts.filter((one) => one.offsetParent && one.textContent.trim() && !one.disabled).filter((one) => {
        const [dark, bright] = [getComputedStyle(one).color, behind(one)].map(light).sort((a, b) => a - b);
        return (bright + 0.05) / (dark + 0.05) < least;
    }).map((one) => one.textContent.trim().slice(0, 40));
}"""


@contextmanager
def with_a_story(
    browser: Browser, file: Path, width: int, scheme: Literal["light", "dark"] = "light"
) -> Iterator[Opened]:
    opened = Opened(browser, file, width, scheme)
    opened.page.click("[data-action=nextDecision]")
    yield opened
    assert opened.complaints == []
    opened.page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_stands_out_from_what_is_behind_it(
    browser: Browser, file: Path, scheme: Literal["light", "dark"]
) -> None:
    with with_a_story(browser, file, 1400, scheme) as opened:
        assert opened.page.evaluate(TEXTS_TOO_FAINT, LEAST_CONTRAST) == []

        opened.page.add_style_tag(content=".verdict { color: #888; background: #777 }")
        assert opened.page.evaluate(TEXTS_TOO_FAINT, LEAST_CONTRAST) == ["1 of 1 expectations failed"]


@pytest.mark.parametrize("width", [360, 1600])
def test_nothing_is_wider_than_the_window(browser: Browser, file: Path, width: int) -> None:
    with with_a_story(browser, file, width) as opened:
        assert opened.page.evaluate("document.documentElement.scrollWidth") == width

        opened.page.add_style_tag(content="h1 { width: 2000px }")
        assert opened.page.evaluate("document.documentElement.scrollWidth") > width


def test_every_control_can_be_reached_and_seen_by_tabbing(browser: Browser, file: Path) -> None:
    with with_a_story(browser, file, 1400) as opened:
        opened.page.evaluate("document.activeElement.blur()")
        reached = {}
        for _ in range(30):
            opened.page.keyboard.press("Tab")
            name, outline = opened.page.evaluate(
                "[document.activeElement.dataset.action ?? document.activeElement.className,"
                " getComputedStyle(document.activeElement).outlineStyle]"
            )
            reached[name] = outline

        buttons = ["previousDecision", "nextDecision", "firstDifference", "zoomIn", "zoomOut", "showAll"]
        assert {name: reached.get(name) for name in (*buttons, "plot")} == dict.fromkeys((*buttons, "plot"), "solid")
