"""How much of their prompts backends had cached, in runs small enough to count by hand."""

import pytest

from sim import loads, run

BLOCKS = 10
TEXT = f"""
name: prompts
duration: 9s
nodes: [{{name: n}}]
models:
  - name: m
    backend: {{prompt_cache: {BLOCKS}}}
    service: {{prefill: 300/s, decode: 100/s}}
    replicas: [{{node: n}}]
router: {{profile: hardened}}
workload:
  - kind: uniform
    model: m
    rate: 1/s
    prompt_tokens: 60
    output_tokens: 10
    prompts: {{families: 1, shared_blocks: 2, own_blocks: 1}}
"""


def test_all_but_the_first_of_a_family_find_what_it_shares() -> None:
    result = run(loads(TEXT))

    assert result.metrics["requests.completed"] == 8
    assert result.metrics["prefix.hit_share"] == 7 * 2 / (8 * 3)
    blocks = result.events.dropna(subset="blocks")
    recalled = blocks[blocks["kind"] == "blocks_recalled"]
    assert recalled["blocks"].tolist() == [0, *[2] * 7]


def test_what_is_found_takes_no_prefill() -> None:
    requests = run(loads(TEXT)).requests

    prefill_s = (requests["first_token_s"] - requests["start_s"]).tolist()
    assert prefill_s == pytest.approx([60 / 300, *[20 / 300] * 7], abs=1e-9)


def test_a_run_without_a_cache_has_no_figure() -> None:
    metrics = run(loads(TEXT.replace(f"prompt_cache: {BLOCKS}", "workers: 1"))).metrics

    assert [name for name in metrics if name.startswith("prefix.")] == []


@pytest.mark.parametrize("fault", ["replica_exit, node: n", "replica_forgets_model, node: n"])
def test_a_process_that_has_loaded_its_model_anew_has_no_prompt_cached(fault: str) -> None:
    faults = f"faults: [{{kind: {fault}, model: m, at: 4500ms}}]\n"
    result = run(loads(TEXT.replace("duration: 9s", "duration: 60s") + faults))

    blocks = result.events.dropna(subset="blocks")
    recalled = blocks[blocks["kind"] == "blocks_recalled"]["blocks"].tolist()
    assert recalled[:4] == [0, 2, 2, 2]
    assert recalled[4:].count(0) == 1
    assert result.metrics["prefix.lost_prompts"] == 1


PROMPTS = "prompt_tokens: 60, output_tokens: 10, prompts: {families: 1, shared_blocks: 3, own_blocks: 0}"
# Two prompts in turn, at 2, 3 ... 8 s, with 3 blocks each.
TURNS = TEXT.partition("  - kind:")[0] + "".join(
    f"  - {{kind: uniform, model: m, start: {start}, rate: 0.5/s, {PROMPTS}}}\n" for start in ("0s", "1s")
)


@pytest.mark.parametrize(
    ("cached_blocks", "lost"), [(BLOCKS, 0), (4, 0), (3, 5)], ids=["both", "one and a part", "one"]
)
def test_a_prompt_is_lost_if_its_replica_has_read_its_beginning_and_keeps_none_of_it(
    cached_blocks: int, lost: int
) -> None:
    metrics = run(loads(TURNS.replace(f"prompt_cache: {BLOCKS}", f"prompt_cache: {cached_blocks}"))).metrics

    assert (metrics["requests.completed"], metrics["prefix.lost_prompts"]) == (7, lost)
