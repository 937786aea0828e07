"""A baseline: a small text that stays as it is where nothing changed, and what is told where something did."""

from collections.abc import Sequence
from random import Random

import pytest

from sim.measure.changes.baseline import BadBaseline, Baseline, baseline_text, entry_of, read_baseline
from sim.measure.changes.baseline_changes import BaselineChange, baseline_changes
from sim.measure.differences import Finding
from sim.measure.judged_run import JudgedRun

SEEDS = 20


def runs(latencies_s: Sequence[float], **more: float) -> list[JudgedRun]:
    """Return a run for each latency; its digest is that of its latency."""
    return [
        JudgedRun("fixed", seed, f"digest of {latency_s}", {"latency.p99_s": latency_s, **more}, ())
        for seed, latency_s in enumerate(latencies_s, start=1)
    ]


def baseline(latencies_s: Sequence[float], **more: float) -> Baseline:
    metrics = ("latency.p99_s", *more)
    return {("queue", "fixed"): entry_of(runs(latencies_s, **more), metrics)}


def latencies_s(mean_s: float, random: Random, seeds: int = SEEDS) -> list[float]:
    return [random.gauss(mean_s, 0.1 * mean_s) for _ in range(seeds)]


def the_change(then: Baseline, now: Baseline) -> BaselineChange:
    [change] = baseline_changes(read_baseline(baseline_text(then)), now)
    return change


def test_the_text_has_a_line_for_each_figure_and_can_be_read_back() -> None:
    kept = baseline([1.5, 2.5], **{"requests.failed": 0.0})

    text = baseline_text(kept)

    assert text.splitlines()[2:] == [
        "queue:",
        "  fixed:",
        "    seeds: 1 to 2",
        "    runs: 2",
        f"    digest: {kept['queue', 'fixed'].digest}",
        "    figures:",
        "      latency.p99_s: 2 ± 6.35",  # t(1) = 12.706 for 95 %, times 0.5
        "      requests.failed: 0",
    ]
    assert read_baseline(text) == kept


def test_scenarios_stand_by_name_in_whatever_order_they_were_run() -> None:
    entry = baseline([1.0])["queue", "fixed"]

    one = baseline_text({("b", "fixed"): entry, ("a", "fixed"): entry})
    other = baseline_text({("a", "fixed"): entry, ("b", "fixed"): entry})

    assert one == other


def test_a_change_that_nobody_would_notice_changes_nothing_but_the_digest() -> None:
    one, other = (baseline_text(baseline([latency_s, 2.0])) for latency_s in (1.0, 1.000001))

    changed = [line for line in one.splitlines() if line not in other.splitlines()]
    assert [line.split(":")[0].strip() for line in changed] == ["digest"]


def test_the_same_digests_on_the_same_seeds_are_identical() -> None:
    change = the_change(baseline([1.0, 2.0]), baseline([1.0, 2.0]))

    assert (change.is_identical, change.has_failed) == (True, False)
    assert change.lines == ["queue, fixed: identical to the baseline"]


def test_a_change_far_beyond_the_noise_fails_and_says_by_how_much() -> None:
    random = Random(1)

    change = the_change(baseline(latencies_s(1.0, random)), baseline(latencies_s(2.0, random)))

    [row] = change.rows
    assert (row.verdict, change.has_failed) == (Finding.A, True)
    assert row.interval is not None
    # The true change is 1 s; each mean has a standard error of at most 0.045 s, so 8 of them are never exceeded.
    assert row.interval.low > 0.5
    assert change.lines[0].startswith("queue, fixed: latency.p99_s: baseline ")
    assert change.lines[0].endswith(": worse")


def test_what_is_better_has_changed_too_because_the_file_no_longer_tells_the_truth() -> None:
    random = Random(2)

    change = the_change(baseline(latencies_s(2.0, random)), baseline(latencies_s(1.0, random)))

    assert [row.verdict for row in change.rows] == [Finding.B]
    assert change.has_failed


def test_chance_alone_fails_rarely() -> None:
    random = Random()
    trials = 200

    failed = sum(
        the_change(baseline(latencies_s(1.0, random)), baseline(latencies_s(1.0, random))).has_failed
        for _ in range(trials)
    )

    # At most 5 % of 200 are expected, less for the margin; more than 25 have a probability below 1e-4.
    assert failed <= 25


@pytest.mark.parametrize(("now_s", "has_failed"), [(1.005, False), (1.02, True)])
def test_on_one_seed_a_change_counts_from_the_margin_of_one_percent_on(now_s: float, has_failed: bool) -> None:
    change = the_change(baseline([1.0]), baseline([now_s]))

    assert change.has_failed is has_failed
    assert all(row.interval is None for row in change.rows)


def test_a_variant_that_the_baseline_does_not_have_is_told_and_fails_nothing() -> None:
    [change] = baseline_changes({}, baseline([1.0]))

    assert change.lines == ["queue, fixed: not in the baseline; --save-baseline writes it anew"]
    assert not change.has_failed


def test_a_metric_that_applies_no_longer_fails() -> None:
    then, now = baseline([1.0, 1.1], **{"ttft.p50_s": 0.2}), baseline([1.0, 1.2])

    change = the_change(then, now)

    assert change.gone == ("ttft.p50_s",)
    assert "queue, fixed: ttft.p50_s: in the baseline, and does not apply now" in change.lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a: [", "line 1: found what is no YAML"),
        ("just words", "the file: found 'just words'; input should be a valid dictionary"),
        ("queue: {fixed: {seeds: '1', runs: 0, digest: x, figures: {}}}", "queue, fixed, runs: found '0'"),
        (
            "queue: {fixed: {seeds: '1', runs: 1, digest: x, figures: {m: fast}}}",
            "queue, fixed, figures, m: found 'fast'",
        ),
        ("queue: {fixed: {seeds: '1', runs: 1, digest: x}}", "queue, fixed, figures: found "),
    ],
)
def test_what_is_no_baseline_is_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(BadBaseline) as refusal:
        read_baseline(text)

    assert str(refusal.value).startswith(message)
