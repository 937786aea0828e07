"""Expectations that no run could be held to, as `bad_scenarios` has broken scenarios."""

from tests.scenario.good_scenario import expect, expect_of_two_models, good_but

EXPECTATIONS = {
    "unknown metric": (expect("metric: §fairnes.jain, min: 1"), "is not a metric; allowed: a name such as"),
    "unknown metric, with a hint": (expect("metric: §fairnes.jain, min: 1"), "did you mean 'fairness.jain'?"),
    "unknown variant": (
        expect("metric: fairness.jain, min: 1, variant: §fixt"),
        "allowed: pinned, fixed; did you mean",
    ),
    "compared with an unknown variant": (
        expect("metric: fairness.jain, variant: fixed, above: §pined"),
        "'pined' is not a variant",
    ),
    "compared with itself": (
        expect("metric: fairness.jain, variant: fixed, above: §fixed"),
        "allowed: another variant",
    ),
    "comparison of nothing": (
        good_but("variants: {pinned: {}}", "expect: [§{metric: fairness.jain, above: pinned}]"),
        "variant: missing; above and below compare it with another variant",
    ),
    "value beside a bound": (expect("metric: fairness.jain, min: 1, equals: §1"), "found beside min or max"),
    "seeds without a unit": (expect("metric: fairness.jain, min: 1, over: §20"), "is not a number of seeds; write 20"),
    "seeds as one": (expect("metric: fairness.jain, min: 1, over: §1 seeds"), "allowed: from 2 seeds to 10000 seeds"),
    "confidence of nothing": (
        expect("metric: fairness.jain, min: 1, confidence: §0.9"),
        "allowed: with over, and without for_every_seed",
    ),
    "confidence of a law": (
        expect("metric: fairness.jain, min: 1, over: 9 seeds, for_every_seed: true, confidence: §0.9"),
        "allowed: with over, and without for_every_seed",
    ),
    "certainty": (expect("metric: fairness.jain, min: 1, over: 9 seeds, confidence: §1.0"), "allowed: less than 1"),
    "mean that equals": (expect("metric: fairness.jain, equals: §1, over: 9 seeds"), "allowed: min and max, or for_ev"),
    "mean and difference": (
        good_but(
            "variants: {pinned: {}, fixed: {}}",
            "expect: [{variant: fixed, metric: fairness.jain, above: pinned, min: 1, over: §9 seeds}]",
        ),
        "allowed: an expectation for each",
    ),
    "no bound": (good_but("expect: [§{metric: fairness.jain}]"), "found no bound; allowed: at least one of min"),
    "bounds crossed": (expect("metric: fairness.jain, min: §0.9, max: 0.5"), "found 0.9 above max; allowed: at most"),
    "window without length": (expect("metric: fairness.jain, min: 1, after: §9s, before: 5s"), "earlier than before"),
    "window after the end": (expect("metric: fairness.jain, min: 1, after: §60s"), "allowed: less than the duration"),
    "replica of an unknown node": (
        expect("metric: §'replicas.sprak#0.share', min: 1"),
        "'sprak' is not a node; allowed: spark, thor",
    ),
    "replica without its index": (
        expect("metric: §replicas.spark.share, min: 1"),
        "allowed: replicas.<node>#<index>.<name>, the name one of requests, share, utilization",
    ),
    "bound with a unit": (expect("metric: latency.p99_s, max: §10s"), "found '10s'; allowed: a number, without a unit"),
    "replica beyond the slots": (
        expect("metric: §'replicas.spark#1.share', min: 1"),
        "found replica 1 of spark; allowed: an index below its slots, 1",
    ),
    "model that there is not": (
        expect_of_two_models("metric: fairness.jain, model: §lama3, min: 1"),
        "expect[0].model: 'lama3' is not a model; allowed: qwen/2.5, llama3; did you mean 'llama3'?",
    ),
    "model of a metric that is not taken per model": (
        expect_of_two_models("metric: §latency.p99_s, model: llama3, max: 1"),
        "'latency.p99_s' is not taken per model; allowed with a model: fairness.*, burst.*",
    ),
    "model in the name that there is not": (
        expect_of_two_models("metric: §models.lama3.fairness.jain, min: 1"),
        "'lama3' is not a model; allowed: qwen/2.5, llama3; did you mean 'llama3'?",
    ),
    "model in the name where there is one": (
        expect("metric: §models.qwen3.fairness.jain, min: 1"),
        "found the model qwen3, the only one; allowed: the name without it",
    ),
    "model in a label where there is one": (
        expect("metric: §'replicas.qwen3@spark#0.share', min: 1"),
        "found the model qwen3, the only one; allowed: the name without it",
    ),
    "label without its model": (
        expect_of_two_models("metric: §'replicas.spark#0.share', min: 1"),
        "allowed: replicas.<model>@<node>#<index>, as there are several",
    ),
    "label of a model that there is not": (
        expect_of_two_models("metric: §'replicas.qwen/2.6@spark#0.share', min: 1"),
        "'qwen/2.6' is not a model; allowed: qwen/2.5, llama3; did you mean 'qwen/2.5'?",
    ),
    "label of a model on an unknown node": (
        expect_of_two_models("metric: §'replicas.qwen/2.5@sprak#0.share', min: 1"),
        "'sprak' is not a node; allowed: spark, thor",
    ),
    "window before the warm-up": (
        good_but("warmup: 9s", "expect: [{metric: fairness.jain, min: 1, before: §9s}]"),
        "expect[0].before: found 9s; allowed: later than the warm-up, 9s",
    ),
    "unknown key": (expect("metric: fairness.jain, §minimum: 1"), "expect[0].minimum: found an unknown key; allowed:"),
    "word for the list": (good_but("expect: §fairness"), "found 'fairness'; allowed: a list of at most 1000"),
}
