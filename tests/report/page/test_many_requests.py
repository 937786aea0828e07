"""The timeline of 100,000 requests: what is drawn grows with the width of the picture and not with the requests."""

import numpy as np
import pandas as pd
import pytest
from playwright.sync_api import Browser

from sim.measure.recording.records import Integers
from sim.measure.result import RunResult
from sim.report.page.page import page_html
from sim.report.page.timeline import Timeline, timeline_of
from sim.routing.outcomes import Outcome, ProbeOutcome
from tests.report.chromium import NEEDS_CHROMIUM
from tests.report.page.opened import Opened

pytestmark = NEEDS_CHROMIUM

REQUESTS = 100_000
WIDTH = 1200
COUNT = """
    window.bars = window.crosses = window.failures = 0;
    const fillRect = CanvasRenderingContext2D.prototype.fillRect;
    CanvasRenderingContext2D.prototype.fillRect = function (...where) {
        window.bars += 1;
        window.bad ??= getComputedStyle(this.canvas).getPropertyValue("--bad");
        if (this.fillStyle === window.bad && where[3] > 2) window.failures += 1;
        fillRect.apply(this, where);
    };
    const fillText = CanvasRenderingContext2D.prototype.fillText;
    CanvasRenderingContext2D.prototype.fillText = function (text, ...where) {
        if (text === "\\u00d7") window.crosses += 1;
        fillText.call(this, text, ...where);
    };
"""


def same(value: int) -> Integers:
    return np.full(REQUESTS, value)


def many(small: Timeline) -> Timeline:
    """Return a run in which a request comes each 10 ms, goes to one of two replicas and is served for 15 ms.

    Each is probed for 1 ms. One probe in the middle fails, and so does one request.
    """
    ids, lanes = np.arange(REQUESTS), np.arange(REQUESTS) % 2
    stages = {"routed": 1_000, "start": 1_000, "first_token": -1, "served": 16_000, "end": 16_000}
    columns = {
        **{name: column for name, column in small.columns.items() if name.startswith("events.")},
        "requests.arrival": same(10_000),
        **{f"requests.{stage}": same(value) for stage, value in stages.items()},
        "requests.lane": lanes,
        **{f"requests.{name}": same(0) for name in ("model", "frontend", "prompt_tokens", "output_tokens")},
        "requests.outcome": np.where(ids == REQUESTS // 2, Outcome.FAILED, Outcome.COMPLETED),
        "requests.cause": same(-1),
        "picks.t": same(10_000),
        "picks.request": ids,
        "picks.lane": lanes,
        **{f"picks.{name}": same(0) for name in ("in_flight", "source")},
        "picks.alive": same(1),
        "picks.candidates": same(2),
        "probes.start": same(10_000),
        "probes.end": same(1_000),
        "probes.lane": lanes,
        "probes.request": ids,
        "probes.outcome": np.where(ids == REQUESTS // 2, ProbeOutcome.TIMEOUT, ProbeOutcome.OK),
        "probes.process_alive": same(1),
        "choices.lane": np.tile([0, 1], REQUESTS),
        "choices.in_flight": np.tile([0, 0], REQUESTS),
        "choices.last_used": np.repeat(ids * 10_000_000, 2),
        "choices.vram": np.full(2 * REQUESTS, 96 * 10**9),
    }
    assert columns.keys() == small.columns.keys()
    return Timeline("many", "fixed", "", {**small.names, "end": REQUESTS * 10_000 + 16_000}, columns)


@pytest.fixture(scope="module")
def opened(
    browser: Browser, result: RunResult, choices: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> Opened:
    small = timeline_of(result, "fixed", choices)
    file = tmp_path_factory.mktemp("many") / "page.html"
    file.write_text(page_html([], [many(small)], []))
    return Opened(browser, file, WIDTH, script=COUNT)


def test_a_picture_of_all_requests_takes_no_more_bars_than_it_has_room_for(opened: Opened) -> None:
    opened.page.wait_for_function("window.bars > 0")

    assert WIDTH / 2 < opened.page.evaluate("window.bars") < 8 * WIDTH
    assert opened.complaints == []


def test_a_single_failure_is_seen_among_all_requests_and_probes(opened: Opened) -> None:
    opened.page.wait_for_function("window.bars > 0")

    assert opened.page.evaluate("window.failures") > 0
    assert opened.page.evaluate("window.crosses") > 0


def test_any_of_them_can_be_found_and_tells_its_way(opened: Opened) -> None:
    request = 54_321
    opened.point_at(request * 0.01 + 0.02, "request ")
    opened.page.mouse.down()
    opened.page.mouse.up()

    heading = opened.page.locator(".story h3").inner_text()
    assert abs(int(heading.removeprefix("Request ")) - request) < 2 * REQUESTS / WIDTH
    assert opened.page.locator(".candidates tbody tr").count() == 2
