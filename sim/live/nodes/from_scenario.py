"""What a worker process is told of a scenario."""

from sim.live.nodes.worker_spec import WorkerSpec
from sim.routing.units import NS_PER_S
from sim.scenario import ModelSpec, NodeSpec, token_rates


def worker_spec(
    node: NodeSpec,
    model: ModelSpec,
    time_scale: float = 1.0,
    port: int = 0,
    holds_model: bool = False,
    token: str | None = None,
) -> WorkerSpec:
    """Return the settings of a process that serves the model on the node.

    Its service times are those of `service_law`, but for a nanosecond of rounding.
    """
    rates = token_rates(model.service, node)
    return WorkerSpec(
        model=model.name,
        vram_bytes=model.vram_bytes,
        workers=model.backend.workers,
        health=model.backend.health,
        load_time_ns=model.backend.load_time_ns,
        prompt_cache_blocks=model.backend.prompt_cache_blocks,
        has_prefill=model.service.has_prefill,
        prefill_ns_per_token=NS_PER_S / rates.prefill_per_s if rates else 0.0,
        decode_ns_per_token=NS_PER_S / rates.decode_per_s if rates else 0.0,
        decode_ns_per_demand_ns=0.0 if rates else 1 / node.speed,
        time_scale=time_scale,
        port=port,
        holds_model=holds_model,
        token=token,
    )
