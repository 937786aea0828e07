"""The settings that a worker process gets when it starts.

They are plain values, so that the process need not import the schema of scenarios, which takes longer than all else
that it does before it listens.
"""

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from sim.scenario.spec.engines import HealthName


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSpec:
    """One worker process."""

    model: str
    """How requests and loads are served is this model's; the process holds whichever model a load names."""
    vram_bytes: int
    workers: int
    """Number of requests that are served at the same time."""
    health: "HealthName"
    """What a health call waits for."""
    load_time_ns: int
    prompt_cache_blocks: int
    """Blocks of prompts that the process keeps; 0 for none."""
    has_prefill: bool
    """Whether a first token comes before the last."""
    prefill_ns_per_token: float
    """For each token of the prompt."""
    decode_ns_per_token: float
    """For each token of the answer."""
    decode_ns_per_demand_ns: float
    """For the work that was drawn for the request."""
    time_scale: float
    """Real seconds per second of the scenario."""
    port: int
    """0 has the system choose a free one."""
    holds_model: bool
    """Whether the model is there from the start."""
    token: str | None
    """Bearer token that every call must carry; None for no check."""

    def service_ns(self, prompt_tokens: int, output_tokens: int, demand_ns: int) -> tuple[int, int]:
        """Return how long a request's prefill and its decode take, in nanoseconds of the scenario."""
        decode_ns = output_tokens * self.decode_ns_per_token + demand_ns * self.decode_ns_per_demand_ns
        return round(prompt_tokens * self.prefill_ns_per_token), round(decode_ns)

    def to_line(self) -> str:
        """Return the settings as a line of JSON."""
        return json.dumps(asdict(self))

    @classmethod
    def from_line(cls, line: str) -> Self:
        """Return the settings that such a line holds."""
        return cls(**json.loads(line))
