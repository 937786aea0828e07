"""Dumped scenarios: complete, and the same when read back."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from sim import load, loads
from sim.scenario import Scenario, dump
from sim.scenario.text.units import LONGEST_NS, SLOWEST_PER_S, format_duration, format_rate, format_size
from tests.scenario.good_scenario import good_but

# Names that YAML or our reader could take for something else, among ordinary ones.
NAMES = st.sampled_from(
    ["a", "1", "1e3", "null", "true", "yes", "no", "0x1", "1.5", "on", "y", "2026-01-01", "a:b", "1:30"]
)
TEXTS = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]) | st.sampled_from("\n\t"), max_size=40
)
SIZES = st.integers(1, 10**15).map(format_size)
FACTORS = st.floats(0.001, 1000)


def durations(least_ns: int = 0, most_ns: int = LONGEST_NS) -> st.SearchStrategy[str]:
    return st.integers(least_ns, most_ns).map(format_duration)


def shapes() -> st.SearchStrategy[dict[str, Any]]:
    plain = st.sampled_from(["deterministic", "exponential", "uniform"]).map(lambda name: {"distribution": name})
    by_cv = st.fixed_dictionaries(
        {"distribution": st.sampled_from(["lognormal", "hyperexponential"]), "cv": st.floats(1.001, 100)}
    )
    by_shape = st.fixed_dictionaries({"distribution": st.just("erlang"), "shape": st.integers(1, 1000)})
    return st.just({}) | plain | by_cv | by_shape


def with_mean(means: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.builds(lambda mean, shape: {"mean": mean, **shape}, means, shapes())


TOKENS = st.integers(1, 10**7) | with_mean(st.floats(0.1, 10**7))
SERVICES = (
    with_mean(durations(1))
    | st.fixed_dictionaries({"prefill": FACTORS.map(format_rate), "decode": FACTORS.map(format_rate)})
    | st.fixed_dictionaries({"profile": st.sampled_from(["gpt-oss-20b", "gemma-3-4b"])})
)
SHARINGS = st.sampled_from(["unshared", "leader_owned", "detached"])
ROUTERS = st.fixed_dictionaries(
    {"profile": st.sampled_from(["pinned", "uncached", "fixed", "head", "hardened"])},
    optional={
        "pick": st.sampled_from(["serial", "read_committed", "locked"]),
        "probe": st.fixed_dictionaries({}, optional={"ttl": durations(), "sharing": SHARINGS}),
    },
)


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a document that has no contradictions in it."""
    nodes = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    models = draw(st.lists(NAMES, min_size=1, max_size=3, unique=True))
    sized = {"model": st.sampled_from(models), "prompt_tokens": TOKENS, "output_tokens": TOKENS}
    common = {"patience": durations(1), "stop": durations(10**9)}
    workload = st.one_of(
        st.fixed_dictionaries(
            {
                "kind": st.sampled_from(["poisson", "uniform"]),
                "rate": st.floats(SLOWEST_PER_S, 100).map(format_rate),
                **sized,
            },
            optional=common,
        ),
        st.fixed_dictionaries(
            {"kind": st.just("burst"), "at": durations(0, 10**8), "requests": st.integers(1, 1000), **sized},
            optional={"spread": durations(), "every": durations(10**9), **common},
        ),
        st.fixed_dictionaries(
            {
                "kind": st.just("closed"),
                "users": st.integers(1, 10),
                "think": durations(10**8) | with_mean(durations(10**8)),
                **sized,
            },
            optional=common,
        ),
    )
    return {
        "name": draw(NAMES),
        "about": draw(TEXTS),
        "seed": draw(st.integers(0, 2**64 - 1)),
        "duration": draw(durations(10**9, 3600 * 10**9)),
        "nodes": tuple(
            {
                "name": name,
                "vram": draw(SIZES),
                "speed": draw(FACTORS),
                "slots": draw(st.integers(1, 9)),
                "hardware": "gb10",
            }
            for name in nodes
        ),
        "models": tuple(
            {"name": name, "service": draw(SERVICES), "replicas": draw(st.just(()) | st.just(({"node": nodes[0]},)))}
            for name in models
        ),
        "frontends": draw(st.integers(1, 1000)),
        "router": draw(ROUTERS),
        "workload": tuple(draw(st.lists(workload, min_size=1, max_size=3))),
    }


@settings(deadline=None, max_examples=30)
@given(documents())
def test_a_dumped_scenario_reads_back_the_same(document: dict[str, Any]) -> None:
    scenario = Scenario.model_validate(document)

    text = dump(scenario)

    assert loads(text).variants == {"default": scenario}


@settings(deadline=None, max_examples=20)
@given(documents())
def test_a_dump_of_what_was_dumped_is_the_same_text(document: dict[str, Any]) -> None:
    text = dump(Scenario.model_validate(document))

    assert dump(loads(text).variants["default"]) == text


def test_a_dump_spells_out_the_profile_in_the_units_of_the_user() -> None:
    scenario = loads(good_but("router: {profile: pinned}")).variants["default"]

    lines = dump(scenario).splitlines()

    expected = ["duration: 1m", "  vram: 24GB", "  vram: 128GB", "  client_cache: sticky", "    ttl: 0s", "  rate: 1/s"]
    assert [line for line in expected if line not in lines] == []


def test_a_dumped_trace_keeps_its_file_and_reads_back_next_to_it(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("arrival_s,context_tokens,generated_tokens\n0,1,1\n")
    path = tmp_path / "scenario.yaml"
    path.write_text(good_but("workload: [{kind: trace, model: qwen3, file: t.csv, limit: 5}]"))
    scenario = load(path).variants["default"]

    path.write_text(dump(scenario))

    assert "file: t.csv" in path.read_text()
    assert load(path).variants["default"] == scenario
