"""Short live sessions that are recorded: what plays, and how a test gets the recording."""

import asyncio
import tempfile
from pathlib import Path

from sim import __version__
from sim.live.cluster import LiveOutcome, run_live
from sim.live.recording.file import Recording, read_recording, write_recording
from sim.routing.ports import Clock
from sim.scenario import Scenario, loads

# A long answer on each node holds up probes; some of those who wait for them leave after a second, the others wait on.
LIVELY = """
name: lively
seed: 5
duration: 40s
frontends: 2
nodes: [{name: spark, vram: 24GB, slots: 1}, {name: thor, vram: 24GB, slots: 1}]
models:
  - name: qwen3
    vram: 16GB
    backend: {engine: fifo, workers: 1, health: serialized, load_time: 500ms}
    service: {prefill: 4000/s, decode: 100/s}
    replicas: [{node: spark}, {node: thor}]
router: {profile: fixed, probe: {ttl: 3s}}
workload:
  - {kind: poisson, model: qwen3, rate: 3/s, patience: 1s, prompt_tokens: 100, output_tokens: 15}
  - {kind: poisson, model: qwen3, rate: 3/s, prompt_tokens: 100, output_tokens: 15}
  - {kind: burst, model: qwen3, requests: 2, at: 4s, every: 5s, prompt_tokens: 100, output_tokens: 400}
variants: {fixed: {}, hardened: {router: {profile: hardened, probe: {ttl: 3s}}}}
"""

# Each burst arrives in one instant and finds four idle replicas.
HERD = """
name: herd
seed: 1
duration: 22s
nodes: [{name: node-1}, {name: node-2}, {name: node-3}, {name: node-4}]
models:
  - name: qwen3
    backend: {engine: fifo, workers: 1, health: independent}
    service: {mean: 200ms, distribution: lognormal, cv: 0.5}
    replicas: [{node: node-1}, {node: node-2}, {node: node-3}, {node: node-4}]
router: {profile: fixed, probe: {ttl: 8s}}
workload: [{kind: burst, model: qwen3, requests: 32, at: 1s, every: 5s}]
variants: {fixed: {}, locked: {router: {pick: locked}}}
"""


def scenario(text: str, variant: str) -> Scenario:
    return loads(text).variants[variant]


def recorded(text: str, variant: str, database_url: str, file: Path, time_scale: float = 0.1) -> Recording:
    """Play the variant for real, record it to the file, and read it back."""
    played = scenario(text, variant)
    outcome = asyncio.run(_play(played, database_url, time_scale))
    write_recording(file, played, variant, time_scale, outcome.transcripts, __version__)
    return read_recording(file)


async def _play(played: Scenario, database_url: str, time_scale: float) -> LiveOutcome:
    def watch(_: Clock) -> None:
        return

    # Its own, because the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="sim-test-") as folder:
        return await run_live(played, database_url, time_scale, Path(folder), watch, record=True)
