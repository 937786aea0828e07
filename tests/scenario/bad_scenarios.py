"""A catalogue of broken scenarios: in each text the sign § stands where the fault has to be reported.

It is taken out before the text is read. Next to each text is a part of the message that has to come.
"""

from tests.scenario.bad_expectations import EXPECTATIONS
from tests.scenario.bad_faults import FAULTS
from tests.scenario.bad_regressions import REGRESSIONS
from tests.scenario.bad_syntax import SYNTAX
from tests.scenario.good_scenario import (
    GOOD,
    expect,
    good_but,
    model,
    node,
    service,
    workload,
)

ENCODING = {
    "NUL": ("name: a§\0b", "found the control character '\\x00'"),
    "escape code": ("name: §\x1b[31mred", "found the control character '\\x1b'"),
    "C1 control character": ("name: a\nabout: b§\x9bc", "found the control character '\\x9b'"),
    "NUL as an escape": ('name: §"a\\0b"', "allowed: text without control characters"),
    "half a character as an escape": ('name: §"\\ud800"', "allowed: text without control characters"),
    "carriage return as an escape": ('name: §"a\\rb"', "allowed: text without control characters"),
}
_MANY_NODES = ", ".join(f"{{name: n{number}, slots: 1, speed: 1.0}}" for number in range(1000))
_MANY_VARIANTS = ", ".join(f"v{number}: {{}}" for number in range(64))
SIZE = {
    "too many values in all variants": (
        good_but(
            f"nodes: [{_MANY_NODES}]",
            "models: [{name: qwen3, service: {mean: 1s}, replicas: [{node: n7}]}]",
            f"variants: §{{{_MANY_VARIANTS}}}",
        ),
        "allowed: 250,000 values in all",
    ),
    "too many values": ("x: [" + "1," * 49_997 + "§1," * 1 + "1," * 100_000 + "]", "more than 50,000 values"),
    "text too long": ("name: §" + "a" * 65_537, "found a text of 65,537 characters; allowed: 65,536"),
    "quoted text too long": ("name: §'" + "a" * 100_000 + "'", "allowed: 65,536"),
    "name too long": (good_but("name: §" + "a" * 65), "allowed: at most 64 characters"),
    "about too long": (good_but("about: §" + "a" * 10_001), "allowed: at most 10000 characters"),
}
DEPTH = {
    "nested brackets": ("name: " + "[" * 19 + "§[" + "[" * 60_000, "found more than 20 levels of nesting"),
    "nested braces": ("{a: " * 20 + "§{a: " + "{a: " * 10_000, "found more than 20 levels of nesting"),
    "nested dashes": ("- " * 20 + "§- " + "- " * 10_000, "found more than 20 levels of nesting"),
    "nested by lines": ("x:" + "\n [" * 19 + "\n §[" + "\n [" * 10_000, "found more than 20 levels of nesting"),
}
ALIASES = {
    "anchor": ("name: §&a word", "found the anchor '&a'; allowed: no anchors"),
    "anchor on a list": ("nodes: §&nodes [1]", "found the anchor '&nodes'"),
    "alias": ("name: §*a", "found the alias '*a'; allowed: the value written out"),
    "alias bomb": ("a: §&a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\nd: [*c, *c]", "found the anchor '&a'"),
    "list that holds itself": ("a: §&a [*a]", "found the anchor '&a'"),
}
MERGE = {
    "merge key": ("name: a\n§<<: {seed: 1}", "found a merge key; allowed: the keys written out"),
    "merge bomb": ("a: {§<<: [{<<: [{x: 1}, {x: 1}]}, {<<: [{x: 1}]}]}", "found a merge key"),
}
TAGS = {
    "type tag": ("seed: §!!int '1'", "found the tag 'tag:yaml.org,2002:int'; allowed: no tags"),
    "Python object": ("name: §!!python/object/apply:os.system [ls]", "allowed: no tags"),
    "own tag": ("name: §!mine a", "found the tag '!mine'"),
    "bare tag": ("name: §! a", "found the tag '!'"),
    "binary": ("name: §!!binary aGk=", "allowed: no tags"),
    "directive": ("§%TAG ! tag:example.org,2000:\n---\nname: a", "found a % directive; allowed: none"),
}
DUPLICATES = {
    "key twice": ("name: a\n§name: b", "found the key twice; allowed: once (it is first at 1:1)"),
    "key twice inside": ("probe: {ttl: 1s, §ttl: 2s}", "found the key twice; allowed: once (it is first at 1:9)"),
    "variant twice": ("variants: {a: {}, §a: {}}", "found the key twice"),
    "node twice": (good_but("nodes: [{name: spark}, {name: §spark}]"), "'spark' a second time; allowed: names that"),
    "model twice": (
        good_but("models: [{name: qwen3, service: {mean: 1s}}, {name: §qwen3, service: {mean: 1s}}]"),
        "found 'qwen3' a second time",
    ),
}
KEY_NAMES = {
    "capital": ("§Name: a", "found the key 'Name'; allowed: small letters, digits and _"),
    "dash": ("§dry-run: 1", "found the key 'dry-run'"),
    "zero-width space": ("§na\u200bme: a", "found the key 'na\\u200bme'"),
    "letters of another language": ("§größe: a", "found the key 'größe'; allowed: small letters, digits"),
    "text that turns its direction": ("§na\u202eme: a", "found the key 'na\\u202eme'"),
    "number": ("§1: a", "found the key '1'"),
    "empty": ("§'': a", "found the key ''"),
    "very long": ("§" + "k" * 65 + ": a", "characters); allowed: small letters"),
    "variant with a space": ("variants: {§two words: {}}", "found the key 'two words'"),
    "unknown": (good_but("§sede: 1"), "found an unknown key; allowed: name, about, seed, duration"),
    "unknown, with a hint": (good_but("§sede: 1"), "did you mean 'seed'?"),
    "required key misspelt": (good_but("duration: 1m").replace("duration", "§duraton"), "did you mean 'duration'?"),
    "required key of an entry misspelt": (workload("kind: poisson, §rat: 1/s"), "did you mean 'rate'?"),
    "key beside the scenario misspelt": (good_but("§expectations: []"), "did you mean 'expect'?"),
    "unknown in a node": (node("§slot: 1"), "speed, hardware, labels, disk; did you mean 'slots'?"),
    "unknown in the probe": (good_but("router: {probe: {§tl: 5s}}"), "did you mean 'ttl'?"),
    "unknown in a workload": (workload("kind: closed, users: 1, §tink: 1s"), "did you mean 'think'?"),
    "key of another kind": (workload("kind: poisson, rate: 1/s, §users: 3"), "found an unknown key; allowed: kind"),
}
TYPES = {
    "duration without unit": (good_but("duration: §30"), "duration: 30 has no unit; write 30s, 500ms or 5m"),
    "quoted duration without unit": (good_but("duration: §'30'"), "'30' has no unit; write 30s, 500ms or 5m"),
    "duration of an unknown unit": (good_but("duration: §3days"), "'3days' is not a duration; write 30s"),
    "duration by the clock": (good_but("duration: §1:30"), "'1:30' is not a duration"),
    "size with a space": (node("vram: §24 GB"), "'24 GB' has a space in it; write 24GB"),
    "duration with a space": (good_but("duration: §5 m"), "'5 m' has a space in it; write 5m"),
    "size without unit": (node("vram: §24"), "24 has no unit; write 24GB, 8GiB or 512MB"),
    "rate without unit": (workload("kind: poisson, rate: §4"), "4 has no unit; write 4/s, 30/m or 10/h"),
    "rate of an unknown unit": (workload("kind: poisson, rate: §4/d"), "'4/d' is not a rate"),
    "text for a whole number": (good_but("seed: §'3'"), "found '3'; allowed: a whole number"),
    "fraction for a whole number": (good_but("frontends: §1.0"), "found 1.0; allowed: a whole number"),
    "true for a whole number": (good_but("seed: §true"), "found true; allowed: a whole number"),
    "percentage for a number": (node("speed: §67%"), "found '67%'; allowed: a number, without a unit"),
    "list for labels": (node("labels: §[gpu]"), "found a list; allowed: a mapping of keys to values"),
    "true for a number": (node("speed: §true"), "found true; allowed: a number"),
    "a key of the past": (
        good_but("router: {probe: {flight: §detached}}"),
        "found a key of the past; did you mean sharing: unshared, leader_owned or detached?",
    ),
    "octal number": (good_but("seed: §010"), "found '010'; allowed: a whole number"),
    "hexadecimal number": (good_but("seed: §0x10"), "found '0x10'; allowed: a whole number"),
    "digits with underscores": (good_but("seed: §1_000"), "found '1_000'; allowed: a whole number"),
    "number for text": (good_but("name: §1e3"), "found 1000.0; allowed: text, in quotes if it looks like a number"),
    "nothing for text": (good_but("name:§"), "name: found nothing; allowed: text"),
    "word for a list": (good_but("nodes: §spark"), "found 'spark'; allowed: a list"),
    "word for a mapping": (good_but("router: §fixed"), "found 'fixed'; allowed: a mapping of keys to values"),
    "word for an entry": (model("replicas: [§spark]"), "a mapping of keys to values: node, ready_at, address"),
    "word for a workload": (
        good_but("workload: [§poisson]"),
        "found 'poisson'; allowed: a mapping of keys to values: kind",
    ),
    "list for a mapping": (good_but("network: §[1ms]"), "found a list; allowed: a mapping of keys to values"),
    "word for tokens": (workload("kind: poisson, rate: 1/s, prompt_tokens: §many"), "allowed: a whole number, or a"),
    "required key missing": ("§name: a\n" + "\n".join(list(GOOD.values())[2:]), "duration: missing; it has to be"),
    "kind missing": (workload("rate: 1/s").replace("{model", "§{model"), "workload[0].kind: missing"),
    "unknown kind": (workload("kind: §poison, rate: 1/s"), "allowed: poisson, uniform, burst, closed, trace; did you"),
    "an event loop with workers": (
        model("backend: {health: event_loop, workers: §4}"),
        "found 4; allowed: 1 with health: event_loop",
    ),
    "cache without prefill": (model("backend: {prompt_cache: §9}"), "found a cache that spares nothing"),
    "unknown engine": (model("backend: {engine: §lifo}"), "found 'lifo'; allowed: fifo"),
    "unknown profile": (good_but("router: {profile: §fxied}"), "did you mean 'fixed'?"),
    "word for variants": (good_but("variants: §both"), "found 'both'; allowed: a mapping with 1 to 64 variants"),
    "nothing for a variant": (good_but("variants: {fixed:§ }"), "allowed: a mapping of changes, or {} for none"),
    "no variants": (good_but("variants: §{}"), "allowed: a mapping with 1 to 64 variants"),
}
RANGE = {
    "negative seed": (good_but("seed: §-1"), "found -1; allowed: at least 0"),
    "seed over 64 bits": (good_but("seed: §18446744073709551616"), "allowed: at most 18446744073709551615"),
    "seed of 5,000 digits": (good_but("seed: §" + "9" * 5_000), "(5000 characters); allowed: a whole number"),
    "no duration": (good_but("duration: §0s"), "found '0s'; allowed: more than 0"),
    "negative duration": (good_but("duration: §-5s"), "'-5s' is not a duration"),
    "duration too long": (good_but("duration: §9999h"), "'9999h' is too long; allowed: up to 2400h"),
    "part of a nanosecond": (good_but("duration: §0.5ns"), "'0.5ns' is not a whole number of nanoseconds"),
    "part of a byte": (node("vram: §0.5B"), "'0.5B' is not a whole number of bytes"),
    "too many bytes": (node("vram: §9999999TB"), "'9999999TB' is too large"),
    "no memory": (node("vram: §0GB"), "found '0GB'; allowed: at least 1"),
    "rate of zero": (workload("kind: poisson, rate: §0/s"), "'0/s' is out of range"),
    "speed of zero": (node("speed: §0"), "found 0; allowed: at least 0.001"),
    "no slots": (node("slots: §0"), "found 0; allowed: at least 1"),
    "too many frontends": (good_but("frontends: §1001"), "found 1001; allowed: at most 1000"),
    "no users": (workload("kind: closed, users: §0"), "found 0; allowed: at least 1"),
    "prompts without blocks": (
        workload("kind: poisson, rate: 1/s, prompts: {families: 2, shared_blocks: §0, own_blocks: 0}"),
        "allowed: at least one, shared or own",
    ),
    "negative tokens": (workload("kind: poisson, rate: 1/s, prompt_tokens: §-1"), "found -1; allowed: at least 0"),
    "no nodes": (good_but("nodes: §[]"), "found 0 entries; allowed: at least 1"),
    "no workload": (good_but("workload: §[]"), "found no entry; allowed: at least one, or none with a control_plane"),
    "no timeout": (good_but("router: {probe: {timeout: §0s}}"), "found '0s'; allowed: more than 0"),
}
NOT_FINITE = {
    "nan": (node("speed: §.nan"), "found '.nan'; allowed: a number"),
    "infinity": (node("speed: §.inf"), "found '.inf'; allowed: a number"),
    "minus infinity": (node("speed: §-.inf"), "found '-.inf'; allowed: a number"),
    "infinity by exponent": (node("speed: §1.0e+999"), "found '1.0e+999'; allowed: a number"),
    "infinite bound": (expect("metric: fairness.jain, min: §.inf"), "found '.inf'; allowed: a number"),
    "infinite rate": (workload("kind: poisson, rate: §1e999/s"), "'1e999/s' is not a rate"),
}
CROSS_FIELD = {
    "replica on an unknown node": (
        model("replicas: [{node: §sprak}]"),
        "models[0].replicas[0].node: 'sprak' is not a node; allowed: spark, thor; did you mean 'spark'?",
    ),
    "workload of an unknown model": (
        good_but("workload: [{kind: poisson, model: §qwen, rate: 1/s}]"),
        "workload[0].model: 'qwen' is not a model; allowed: qwen3; did you mean 'qwen3'?",
    ),
    "warmup over all": (good_but("warmup: §1m"), "found 1m; allowed: less than the duration, 1m"),
    "replica ready too late": (model("replicas: [{node: spark, ready_at: §1m}]"), "allowed: less than the duration"),
    "more replicas than slots": (
        model("replicas: [{node: spark}, {node: §spark}]"),
        "found more replicas on spark than it has slots; allowed: 1",
    ),
    "model too large for every node": (model("vram: §200GB"), "found 200GB, which fits no node; allowed: up to 128GB"),
    "model too large for its node": (
        model("vram: 100GB, replicas: [{node: §spark}]"),
        "qwen3 needs 100GB; allowed: a node with as much, spark is smaller",
    ),
    "workload after the end": (workload("kind: poisson, rate: 1/s, start: §2m"), "allowed: less than the duration"),
    "workload after its stop": (
        workload("kind: poisson, rate: 1/s, start: §9s, stop: 5s"),
        "found 9s; allowed: less than stop, 5s",
    ),
    "burst after the end": (workload("kind: burst, at: §60s, requests: 1"), "allowed: less than the duration, 1m"),
    "too many requests": (
        good_but("workload: §[{kind: uniform, model: qwen3, rate: 200000/s}]"),
        "found about 12,000,000 requests; allowed: 10,000,000, so lower rates or duration",
    ),
    "too many bursts": (
        good_but("workload: §[{kind: burst, model: qwen3, at: 0s, requests: 9, every: 1us}]"),
        "found about 540,000,000 requests; allowed: 10,000,000",
    ),
    "profile without hardware": (
        good_but(
            "models: [{name: qwen3, service: {profile: §gpt-oss-20b}}]",
            "workload: [{kind: burst, model: qwen3, at: 0s, requests: 1, prompt_tokens: 9, output_tokens: 9}]",
        ),
        "spark names none; allowed: hardware: gb10 or thor on each",
    ),
    "two forms of service": (service("§{mean: 1s, profile: gpt-oss-20b}"), "found more than one form of service time"),
    "no form of service": (service("§{}"), "found no form of service time; allowed: mean, or prefill and decode"),
    "prefill without decode": (service("§{prefill: 100/s}"), "decode: missing; prefill needs it, such as decode"),
    "decode without prefill": (service("§{decode: 100/s}"), "prefill: missing; decode needs it, such as prefill"),
    "distribution of rates": (
        service("{prefill: 9/s, decode: 9/s, distribution: §uniform}"),
        "found a distribution without mean",
    ),
    "random time of zero": (service("{mean: §0s}"), "found 0s; allowed: more than 0s, or distribution: deterministic"),
    "lognormal without cv": (service("§{mean: 1s, distribution: lognormal}"), "cv: missing; lognormal needs it"),
    "cv of an exponential": (service("{mean: 1s, cv: §2}"), "allowed: no cv with exponential, the law unless another"),
    "hyperexponential too regular": (
        service("{mean: 1s, distribution: hyperexponential, cv: §0.5}"),
        "found 0.5; allowed for hyperexponential: more than 1",
    ),
    "erlang without shape": (service("§{mean: 1s, distribution: erlang}"), "shape: missing; erlang needs it"),
    "tokens missing": (
        good_but(
            "models: [{name: qwen3, service: {prefill: 9/s, decode: 9/s}}]",
            "workload: [{kind: poisson, model: qwen3, rate: 1/s, prompt_tokens: §0, output_tokens: 5}]",
        ),
        "no tokens, though qwen3 is served by tokens; allowed: 1 or more",
    ),
    "users without a pause": (
        good_but(
            "models: [{name: qwen3, service: {mean: 0s, distribution: deterministic}}]",
            "network: {latency: 0s}",
            "workload: [{kind: closed, model: qwen3, users: 1, think: §0s}]",
        ),
        "found users with no time between requests",
    ),
    "minimum above all slots": (
        model("scheduling: {min: §3}"),
        "models[0].scheduling.min: found 3; allowed: up to 2, the slots of the nodes that it may run on",
    ),
    "model in conflict with itself": (
        model("scheduling: {conflicts: [§qwen3]}"),
        "models[0].scheduling.conflicts[0]: found 'qwen3', the model itself; allowed: other models",
    ),
    "port beyond the last": (
        model("replicas: [{node: spark, address: §'10.0.0.7:99999'}]"),
        "models[0].replicas[0].address: found port 99999; allowed: from 1 to 65535",
    ),
    "more replicas than fit in a run": (
        good_but(
            "nodes: [{name: spark, slots: 1000}, {name: thor, slots: 1000}, {name: third}]",
            "models: §[{name: qwen3, service: {mean: 1s}, replicas: ["
            + "{node: spark}, {node: thor}, " * 1000
            + "{node: third}]}]",
        ),
        "models: found 2,001 replicas; allowed: 2,000 in all",
    ),
    "heartbeats without a pause": (
        good_but("control_plane: §{heartbeat: 1us}"),
        "found about 1,320,000,066 heartbeats and ticks; allowed: 10,000,000, so longer times between them",
    ),
    "fault of a variant": (
        good_but("variants: {late: {warmup: §2m}}"),
        "variants.late.warmup: found 2m; allowed: less than the duration, 1m",
    ),
}
PATHS = {
    "absolute": (workload("kind: trace, file: §/etc/passwd"), "below one named by --allow-dir, such as passwd"),
    "upwards": (workload("kind: trace, file: §../trace.csv"), "named by --allow-dir, such as trace.csv"),
    "upwards in between": (workload("kind: trace, file: §a/../../b.csv"), "allowed: a path below the scenario's"),
    "with a drive": (workload("kind: trace, file: §'C:\\trace.csv'"), "allowed: a path below the scenario's folder"),
    "empty": (workload("kind: trace, file: §''"), "found ''; allowed: at least 1 characters"),
    "missing": (workload("kind: trace, file: §none.csv"), "'none.csv' does not exist; allowed: a file below"),
    "name too long": (workload("kind: trace, file: §" + "a" * 999), "cannot be reached; allowed: a file below"),
    "a folder": (workload("kind: trace, file: §folder"), "folder is a folder; allowed: a file"),
    "out by a link": (
        workload("kind: trace, file: §link.csv"),
        "leads out of its folder; allowed: a file below the scenario's folder, or",
    ),
    "a loop of links": (workload("kind: trace, file: §loop"), "allowed: a file below the scenario's folder"),
}
CLASSES = {
    "syntax": SYNTAX,
    "encoding": ENCODING,
    "size": SIZE,
    "depth": DEPTH,
    "aliases": ALIASES,
    "merge": MERGE,
    "tags": TAGS,
    "duplicates": DUPLICATES,
    "key names": KEY_NAMES,
    "types": TYPES,
    "range": RANGE,
    "not finite": NOT_FINITE,
    "cross-field": CROSS_FIELD,
    "expectations": EXPECTATIONS,
    "regressions": REGRESSIONS,
    "faults": FAULTS,
    "paths": PATHS,
}
