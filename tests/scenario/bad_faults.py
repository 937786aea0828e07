"""The part of the catalogue of broken scenarios that is about faults."""

from tests.scenario.good_scenario import fault, good_but

FAULTS = {
    "word for the list": (good_but("faults: §none"), "found 'none'; allowed: a list"),
    "word for a fault": (good_but("faults: [§node_crash]"), "found 'node_crash'; allowed: a mapping of keys to values"),
    "no kind": (
        good_but("faults: [§{node: spark, at: 5s}]"),
        "faults[0].kind: missing; it has to be written, such as kind: node_crash",
    ),
    "unknown kind": (
        fault("kind: §node_crsh, node: spark, at: 5s"),
        "and 49 more (see sim schema); did you mean 'node_crash'?",
    ),
    "key of another kind": (
        fault("kind: node_pause, node: spark, at: 5s, lasts: 1s, §restart_after: 9s"),
        "found an unknown key; allowed: kind, at, lasts, node",
    ),
    "no moment": (good_but("faults: [§{kind: node_crash, node: spark}]"), "faults[0].at: missing; it has to be"),
    "moment without unit": (fault("kind: node_crash, node: spark, at: §5"), "5 has no unit; write 30s, 500ms or 5m"),
    "no length": (fault("kind: node_pause, node: spark, at: 5s, lasts: §0s"), "found '0s'; allowed: more than 0"),
    "rate of zero": (fault("kind: message_loss, rate: §0"), "faults[0].rate: found 0; allowed: more than 0"),
    "rate over one": (fault("kind: message_loss, rate: §1.5"), "faults[0].rate: found 1.5; allowed: at most 1"),
    "rate per second": (fault("kind: message_loss, rate: §5/s"), "faults[0].rate: found '5/s'; allowed: a number"),
    "unknown node": (
        fault("kind: node_crash, node: §sprak, at: 5s"),
        "faults[0].node: 'sprak' is not a node; allowed: spark, thor; did you mean 'spark'?",
    ),
    "unknown node in a group": (
        fault("kind: node_group_crash, nodes: [spark, §tor], at: 5s"),
        "faults[0].nodes[1]: 'tor' is not a node; allowed: spark, thor; did you mean 'thor'?",
    ),
    "frontend beyond the last": (
        fault("kind: frontend_crash, frontend: §2, at: 5s"),
        "faults[0].frontend: found 2; allowed: an index below frontends, 2",
    ),
    "moment after the end": (
        fault("kind: node_crash, node: spark, at: §1m"),
        "faults[0].at: found 1m; allowed: less than the duration, 1m",
    ),
    "window after the end": (
        fault("kind: message_loss, rate: 0.5, at: §2m"),
        "faults[0].at: found 2m; allowed: less than the duration, 1m",
    ),
    "clock that goes wrong after the end": (
        fault("kind: clock_offset, frontend: 0, ahead: 5s, at: §2m"),
        "faults[0].at: found 2m; allowed: less than the duration, 1m",
    ),
    "replica that cannot exist": (
        fault("kind: replica_exit, node: spark, model: qwen3, at: 5s, index: §1"),
        "faults[0].index: found 1; allowed: an index below the slots of spark, 1",
    ),
    "group of one": (fault("kind: node_group_crash, nodes: §[spark], at: 5s"), "found 1 entries; allowed: at least 2"),
    "unknown router key": (
        fault("kind: mixed_policy, frontend: 0, router: {probe: {§tl: 5s}}"),
        "faults[0].router.probe.tl: found an unknown key; allowed: ttl, timeout",
    ),
    "report in words": (
        fault("kind: node_vram_report, node: spark, at: 5s, reports: §lots"),
        "'lots' is not a size; write 24GB, 8GiB or 512MB, or unknown",
    ),
}
