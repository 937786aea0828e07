"""Short live sessions that are recorded: what plays, and how a test gets the recording."""

import asyncio
import tempfile
from pathlib import Path

from sim import __version__, loads
from sim.live.cluster.cluster import LiveOutcome, run_live
from sim.live.cluster.journal_log import JournalLog
from sim.live.nodes.backend import GrpcDialer
from sim.live.nodes.no_workers import NoWorkers
from sim.live.recording.file import Recording, read_recording, write_recording
from sim.live.recording.lines import Line, Transcript
from sim.live.recording.picks import RecordingPick
from sim.live.recording.ports import build_recorded_frontend
from sim.live.registry.connection import connect
from sim.live.runtime import AsyncioRuntime
from sim.routing.fleet import NodeFacts, RowState
from sim.routing.ports import Clock, FrontendPorts
from sim.routing.replica import ReplicaKey
from sim.routing.request import Request
from sim.scenario import Scenario

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
variants:
  fixed: {}
  head: {router: {profile: head, probe: {ttl: 3s}}}
  hardened: {router: {profile: hardened, probe: {ttl: 3s}}}
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

# Nothing runs at first, and the model may run on one of the nodes only.
COLD = """
name: cold
seed: 2
duration: 20s
frontends: 2
nodes: [{name: spark, labels: {gpu: gb10}}, {name: thor, labels: {gpu: thor}}]
models:
  - name: qwen3
    vram: 16GB
    backend: {load_time: 6s, health: independent}
    service: {mean: 200ms}
    scheduling: {selector: {gpu: thor}}
router: {profile: hardened}
workload: [{kind: uniform, model: qwen3, rate: 2/s}]
variants: {jobs: {}, inline: {router: {profile: hardened, control: {loads: inline}}}}
"""


def scenario(text: str, variant: str) -> Scenario:
    return loads(text).variants[variant]


def recorded(text: str, variant: str, database_url: str, file: Path, time_scale: float = 0.1) -> Recording:
    """Play the variant for real, record it to the file, and read it back."""
    played = scenario(text, variant)
    outcome = asyncio.run(_play(played, database_url, time_scale))
    write_recording(file, played, variant, time_scale, outcome.transcripts, __version__)
    return read_recording(file)


async def evicting(played: Scenario, database_url: str) -> list[Line]:
    """Have one request find the slots of its model taken by a load, and idle rows beside it; return what came of it.

    Nobody starts processes here, and none is reached.
    """
    runtime = AsyncioRuntime()
    transcript = Transcript(runtime)
    journal = JournalLog(runtime)
    dialer = GrpcDialer(runtime, journal)
    async with connect(database_url, runtime, new_pick=RecordingPick) as registry:
        await registry.register_node(NodeFacts("thor", labels={"gpu": "thor"}))
        for model in ("idle", "later"):
            await registry.publish(ReplicaKey("thor", model, 0), "127.0.0.1:1", 0)
        await registry.publish(ReplicaKey("thor", "qwen3", 0), "127.0.0.1:1", 0, RowState.LOADING)
        ports = FrontendPorts(runtime, registry, dialer, NoWorkers(), journal)
        frontend = build_recorded_frontend(transcript, played.router.settings(), ports, played.configs_by_model())
        await frontend.serve(Request(0, "qwen3", 0, 0, runtime.now_ns(), 0, 0, 0))
        await registry.drain()
    await dialer.close()
    return transcript.lines


async def _play(played: Scenario, database_url: str, time_scale: float) -> LiveOutcome:
    def watch(_: Clock) -> None:
        return

    # Its own, because the path of a socket has to be short.
    with tempfile.TemporaryDirectory(prefix="sim-test-") as folder:
        return await run_live(played, database_url, time_scale, Path(folder), watch, record=True)
