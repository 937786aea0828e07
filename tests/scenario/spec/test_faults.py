"""The faults of a scenario: which kinds there are, what each takes, and what is refused."""

import re
from functools import cache
from typing import Any

import pytest

from sim import loads
from sim.scenario import FAULT_KINDS, FaultSpec, Scenario, ScenarioError, dump, json_schema
from sim.scenario.spec.faults import FAMILIES
from tests.scenario.good_scenario import good_but
from tests.scenario.spec.fault_cases import DEFAULTS, KEYS, MS, REFUSED, S

NODES = "nodes: [{name: spark, slots: 2}, {name: thor, slots: 2}]"
MODELS = "models: [{name: qwen3, service: {mean: 1s}}, {name: gemma, service: {mean: 1s}}]"


def entry(kind: str, *keys: str) -> str:
    return "{" + ", ".join([f"kind: {kind}", *filter(None, keys)]) + "}"


def text_with(*entries: str) -> str:
    return good_but("duration: 2m", "frontends: 2", NODES, MODELS, f"faults: [{', '.join(entries)}]")


def scenario_with(*entries: str) -> Scenario:
    return loads(text_with(*entries)).variants["default"]


def fault_of(kind: str, *keys: str) -> FaultSpec:
    return scenario_with(entry(kind, *keys)).faults[0]


@cache
def definitions() -> dict[str, dict[str, Any]]:
    """Return what the JSON schema says of each kind."""
    schema = json_schema()
    mapping = schema["properties"]["faults"]["items"]["discriminator"]["mapping"]
    return {kind: schema["$defs"][reference.removeprefix("#/$defs/")] for kind, reference in mapping.items()}


def test_the_tables_here_name_every_kind() -> None:
    kinds = [kind for family in FAULT_KINDS.values() for kind in family]

    assert sorted(kinds) == sorted(set(kinds)) == sorted(KEYS)


def test_a_scenario_without_faults_has_none() -> None:
    assert loads(good_but()).variants["default"].faults == ()


@pytest.mark.parametrize("kind", KEYS)
def test_a_kind_loads_with_the_keys_it_needs_and_with_all_it_takes(kind: str) -> None:
    needed, more = KEYS[kind]

    plain, full = scenario_with(entry(kind, needed), entry(kind, needed, more)).faults

    assert (plain.kind, full.kind) == (kind, kind)


@pytest.mark.parametrize("kind", KEYS)
def test_a_kind_asks_for_each_key_it_needs(kind: str) -> None:
    needed = re.findall(r"\w+: (?:\[.*?\]|\{.*?\}|[^,]+)", KEYS[kind][0])

    for left_out in range(len(needed)):
        with pytest.raises(ScenarioError):
            fault_of(kind, *needed[:left_out], *needed[left_out + 1 :])


@pytest.mark.parametrize(("kind", "expected"), DEFAULTS.items())
def test_what_is_not_written_has_a_default(kind: str, expected: dict[str, Any]) -> None:
    fault = fault_of(kind, KEYS[kind][0])

    assert {name: getattr(fault, name) for name in expected} == expected


def test_durations_and_sizes_are_read_in_the_units_of_the_program() -> None:
    crash = fault_of("node_crash", "node: spark, at: 100s, restart_after: 30s")
    reports = [fault_of("node_vram_report", f"node: spark, at: 5s, reports: {size}") for size in ("24GB", "unknown")]

    assert (getattr(crash, "at_ns", None), getattr(crash, "restart_after_ns", None)) == (100 * S, 30 * S)
    assert [getattr(report, "reports_bytes", None) for report in reports] == [24 * 10**9, "unknown"]


@pytest.mark.parametrize(("keys", "expected_ns"), [("ahead: 5m", 300 * S), ("behind: 1ms", -MS)])
def test_a_clock_is_ahead_or_behind(keys: str, expected_ns: int) -> None:
    shifted = [fault_of(kind, "frontend: 0, at: 5s", keys) for kind in ("clock_offset", "clock_step", "clock_zone")]

    assert [getattr(fault, "shift_ns", None) for fault in shifted] == [expected_ns] * 3


@pytest.mark.parametrize(("keys", "count"), [("", "neither"), ("ahead: 1s, behind: 1s", "both")])
@pytest.mark.parametrize("kind", ["clock_offset", "clock_step", "clock_zone"])
def test_a_clock_is_not_both_ahead_and_behind_nor_neither(kind: str, keys: str, count: str) -> None:
    with pytest.raises(ScenarioError, match=f"found {count} of ahead and behind; allowed: exactly one of them"):
        fault_of(kind, "frontend: 0, at: 5s", keys)


def test_a_mixed_policy_starts_from_its_own_profile_and_not_from_the_scenarios_router() -> None:
    text = text_with(entry("mixed_policy", "frontend: 1, router: {profile: pinned, pick: serial}"))
    pinned = loads(good_but("router: {profile: pinned, pick: serial}")).variants["default"].router

    scenario = loads(text + "router: {profile: hardened, probe: {ttl: 5s}}").variants["default"]

    assert getattr(scenario.faults[0], "router", None) == pinned


@pytest.mark.parametrize(("kind", "marked", "message"), REFUSED.values(), ids=REFUSED)
def test_what_a_fault_cannot_be_is_refused_with_its_place_and_the_remedy(kind: str, marked: str, message: str) -> None:
    before, mark, after = text_with(entry(kind, marked)).partition("§")
    line, column = before.count("\n") + 1, len(before) - before.rfind("\n")

    with pytest.raises(ScenarioError) as refusal:
        loads(before + after)

    assert mark
    (problem,) = refusal.value.problems
    assert str(problem).startswith(f"<text>:{line}:{column}: faults[0].")
    assert message in str(problem)


@pytest.mark.parametrize("kind", KEYS)
def test_an_unknown_kind_names_the_nearest_one(kind: str) -> None:
    with pytest.raises(ScenarioError) as refusal:
        fault_of(f"{kind}s", KEYS[kind][0])

    (problem,) = refusal.value.problems
    assert problem.key == "faults[0].kind"
    assert str(problem).endswith(f"; did you mean '{kind}'?")


def test_an_override_reaches_into_a_fault() -> None:
    text = text_with(entry("message_loss", "rate: 0.1"))

    scenario = loads(text, ["faults.0.rate=0.5"]).variants["default"]

    assert getattr(scenario.faults[0], "rate", None) == 0.5
    with pytest.raises(ScenarioError, match=r"^--set faults\.0\.rate: found 2; allowed: at most 1"):
        loads(text, ["faults.0.rate=2"])


def test_a_variant_replaces_the_faults_of_the_base() -> None:
    text = text_with(entry("node_reregister", "node: spark, at: 5s")) + "variants: {a: {}, calm: {faults: []}}"

    assert [len(scenario.faults) for scenario in loads(text).variants.values()] == [1, 0]


def test_more_than_a_thousand_faults_are_refused() -> None:
    with pytest.raises(ScenarioError, match="faults: found 1001 entries; allowed: at most 1000"):
        scenario_with(*[entry("probe_timeout")] * 1001)


@pytest.mark.parametrize("more", [False, True], ids=["needed keys", "all keys"])
@pytest.mark.parametrize("kind", KEYS)
def test_a_dumped_fault_reads_back_the_same(kind: str, more: bool) -> None:
    scenario = scenario_with(entry(kind, *KEYS[kind][: 1 + more]))

    text = dump(scenario)

    assert loads(text).variants == {"default": scenario}


def test_a_dumped_fault_is_in_the_units_of_the_user() -> None:
    lines = dump(scenario_with(entry("node_vram_report", "node: spark, at: 90s, reports: 24GB"))).splitlines()

    assert lines[lines.index("faults:") + 1 :] == [
        "- kind: node_vram_report",
        "  at: 90s",
        "  node: spark",
        "  reports: 24GB",
    ]


@pytest.mark.parametrize("kind", KEYS)
def test_the_json_schema_has_the_kind_with_the_keys_of_the_file(kind: str) -> None:
    written = re.findall(r"(\w+):", re.sub(r"\{.*\}", "", ", ".join(KEYS[kind])))
    either = {"ahead", "behind"} if {"ahead", "behind"} & set(written) else set()

    definition = definitions()[kind]

    assert definition["properties"]["kind"]["const"] == kind
    assert set(definition["properties"]) == {"kind", *written, *either}


def test_the_json_schema_describes_each_kind_differently() -> None:
    assert len({definition["description"] for definition in definitions().values()}) == len(KEYS)


def test_the_docstrings_of_the_families_name_every_number_and_every_kind() -> None:
    docstrings = "".join(family.__doc__ or "" for family in FAMILIES.values())
    catalogue = re.findall(r"^([NRPGWCUF]\d+) +(.*)$", docstrings, re.MULTILINE)
    sizes = {"N": 8, "R": 10, "P": 10, "G": 12, "W": 9, "C": 6, "U": 5, "F": 5}

    assert [number for number, _ in catalogue] == [
        f"{letter}{number}" for letter, size in sizes.items() for number in range(1, size + 1)
    ]
    assert {text.split(",")[0] for _, text in catalogue if not text.startswith("no kind")} == set(KEYS)
