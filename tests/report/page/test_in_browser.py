"""The page in a real browser, opened from disk: what it shows, and how it answers pointer and keys."""

import re
from pathlib import Path

import pandas as pd
import pytest
from playwright.sync_api import Browser, expect

from sim.measure.result import RunResult
from sim.measure.saved.result_folder import read_result_folder
from sim.measure.saved.run_folder import read
from sim.measure.story.decision import Decision, Seen
from sim.measure.story.decision_words import decision_in_words
from sim.study.explain.stories import explain
from sim.study.reports.result_page import result_page
from tests.cli.command import sim
from tests.report.chromium import NEEDS_CHROMIUM
from tests.report.page.conftest import ABOUT
from tests.report.page.opened import Opened

pytestmark = NEEDS_CHROMIUM


@pytest.fixture(scope="module")
def shared(browser: Browser, file: Path) -> Opened:
    return Opened(browser, file)


@pytest.fixture
def opened(shared: Opened) -> Opened:
    """The page as after a fresh start. It is reloaded, which takes less time than opening a new one."""
    shared.page.reload()
    shared.page.wait_for_selector("html[data-ready]")
    return shared


def test_it_opens_from_disk_without_a_complaint_and_shows_the_verdict(opened: Opened) -> None:
    expect(opened.page.locator(".verdict")).to_have_text("1 of 1 expectations failed")
    expect(opened.page.locator(".about")).to_have_text(ABOUT)
    assert opened.page.title() == "small · sim report"
    assert opened.complaints == []


def test_a_click_on_a_request_tells_its_way_with_all_candidates(
    opened: Opened, result: RunResult, choices: pd.DataFrame
) -> None:
    request = result.requests.iloc[1]
    [pick] = result.picks.index[result.picks["request"] == 1]

    opened.page.select_option("[data-run=first]", "1")
    opened.point_at((request["start_s"] + request["served_s"]) / 2, "request 1:")
    opened.page.mouse.down()
    opened.page.mouse.up()

    for told in ("Request 1", "arrival", f"pick: {request['replica']}", f"route to {request['replica']}"):
        assert told in opened.story
    for told in ("queue: ", "service begins", "last token", "completed"):
        assert told in opened.story
    seen = choices[choices["pick"] == pick]
    rows = [row.locator("td").first.inner_text() for row in opened.page.locator(".candidates tbody tr").all()]
    assert rows == [str(in_flight) for in_flight in seen["in_flight"]]
    expect(opened.page.locator(".candidates .chosen th")).to_have_text(f"→ {request['replica']} (chosen)")


def test_a_pick_is_explained_as_sim_explain_does(opened: Opened, result: RunResult, choices: pd.DataFrame) -> None:
    """Word for word, for every pick of the run."""
    expected = [
        decision_in_words(decision_of(choices[choices["pick"] == pick], replica))
        for pick, replica in enumerate(result.picks["replica"])
    ]

    opened.page.select_option("[data-run=first]", "1")
    told = []
    for _ in expected:
        opened.page.click("[data-action=nextDecision]")
        told.append(opened.page.locator(".looked-at > p").first.inner_text())

    assert len(set(expected)) > 1
    assert told == [f"{words}." for words in expected]


TWO_POLICIES = """
name: two_policies
duration: 1m
frontends: 3
nodes: [{name: spark}, {name: thor}]
models: [{name: qwen3, service: {mean: 1s}, replicas: [{node: spark}, {node: thor}]}]
router: {policy: {name: best_replica, ties: rotate}}
workload: [{kind: burst, model: qwen3, at: 1s, requests: 12, spread: 6s}]
faults:
  - {kind: mixed_policy, frontend: 1, router: {policy: round_robin}}
  - {kind: mixed_policy, frontend: 2, router: {policy: {name: in_flight_then_vram, ties: first}}}
"""


def test_the_pick_of_a_frontend_with_a_policy_of_its_own_is_explained_by_that_policy(
    browser: Browser, tmp_path: Path
) -> None:
    (tmp_path / "two.yaml").write_text(TWO_POLICIES)
    assert sim("run", "two.yaml", "--out", "runs", folder=tmp_path).stderr == ""
    results = read_result_folder(tmp_path / "runs")
    (tmp_path / "page.html").write_text(result_page([results]))
    opened = Opened(browser, tmp_path / "page.html")

    told = []
    for _ in range(12):
        opened.page.click("[data-action=nextDecision]")
        told.append(opened.page.locator(".looked-at > p").first.inner_text())

    [saved] = results.runs
    stories = (explain(saved.folder, request=request) for request in read(saved.folder).picks["request"])
    decisions = [step.decision for story in stories for step in story.steps if step.decision is not None]
    assert {one.policy for one in decisions} == {"best_replica", "round_robin", "in_flight_then_vram"}
    # Of a policy with a rule of its own, `sim explain` says more in the same sentence.
    for sentence, decision in zip(told, decisions, strict=True):
        assert decision_in_words(decision).startswith(sentence.removesuffix("."))


def decision_of(rows: pd.DataFrame, taken: str) -> Decision:
    seen = [
        Seen(row["replica"], "", row["in_flight"], round(row["last_used_s"] * 1e9), row["available_vram_bytes"])
        for row in rows.to_dict("records")
    ]
    return Decision("best_replica", tuple(seen), [one.replica for one in seen].index(taken))


def test_next_and_previous_step_through_the_decisions(opened: Opened, result: RunResult) -> None:
    opened.page.select_option("[data-run=first]", "1")
    opened.page.select_option("[data-run=second]", "")
    next_one, previous = (opened.page.locator(f"[data-action={name}Decision]") for name in ("next", "previous"))
    told = []
    for button in (next_one, next_one, next_one, previous):
        button.click()
        told.append(opened.page.locator(".story h3").inner_text())

    first, second, third = result.picks["request"][:3]
    assert told == [f"Request {number}" for number in (first, second, third, second)]


def test_keys_zoom_and_move_the_picture_once_it_has_the_focus(opened: Opened) -> None:
    opened.page.locator(".plot").focus()
    seen = [opened.span]
    for key in ("+", "ArrowRight", "ArrowLeft", "-", "+", "0"):
        opened.page.keyboard.press(key)
        seen.append(opened.span)

    (whole, near, later, back, far, nearer, all_again) = seen
    assert near[1] - near[0] < whole[1] - whole[0]
    assert later[0] > near[0]
    assert back == pytest.approx(near)
    assert far == pytest.approx(whole)
    assert nearer == pytest.approx(near)
    assert all_again == pytest.approx(whole)


def test_keys_choose_a_decision_and_let_it_go(opened: Opened) -> None:
    opened.page.locator(".plot").focus()
    told = []
    for key in ("n", "Escape", "d", "Escape"):
        opened.page.keyboard.press(key)
        told.append(opened.story.splitlines()[0].partition(" ")[0])

    assert told == ["Request", "Click", "Request", "Click"]


def test_the_wheel_scrolls_the_page_until_the_timeline_has_the_focus(opened: Opened) -> None:
    whole = opened.span
    opened.page.locator("canvas").hover()
    opened.page.mouse.wheel(0, -300)
    assert opened.span == pytest.approx(whole)

    opened.page.locator(".plot").focus()
    opened.page.locator("canvas").hover()  # It has scrolled away.
    opened.page.mouse.wheel(0, -300)
    opened.page.wait_for_function("() => document.querySelector('.plot').dataset.from !== '0'")

    assert opened.span[1] - opened.span[0] < whole[1] - whole[0]


def test_the_first_difference_of_two_variants_is_told_and_shown(opened: Opened) -> None:
    assert "first difference at " in opened.page.locator(".parting").inner_text()

    opened.page.click("[data-action=firstDifference]")

    [request] = re.findall(r"the pick for request (\d+)", opened.page.locator(".parting").inner_text())
    assert f"Request {request}" in opened.story
