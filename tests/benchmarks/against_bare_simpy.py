"""How fast and how large a run is, beside a bare SimPy model of the same queueing, measured side by side.

    python tests/benchmarks/against_bare_simpy.py [--requests 200000] [--pairs 5]

The work: 8 first-come-first-served servers at utilization 0.8, Poisson arrivals, exponential service, each request to
the server with the fewest in flight, the least recently used on ties. The bare model has one Resource a server and
one process a request, and keeps each response time. Ours runs the whole router (pick, probe cache, in-flight counts)
with everything recorded, summarised and digested. Both see the same arrivals and service times, drawn beforehand;
each run is a fresh process, the two kinds in turn, and the ratio is taken pair by pair, because machines are noisy.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any

import simpy

from sim import loads
from sim.scenario import Scenario, make_plan
from sim.study.run import run_scenario

SERVERS = 8
RATE_PER_S = 12.8
MEAN_SERVICE_S = 0.5
WARM_UP_REQUESTS = 1000
"""Run first, so that modules which are loaded when they are needed are not counted."""


def scenario(requests: int) -> Scenario:
    """Return the scenario of the work."""
    nodes = "\n".join(f"  - {{name: n{i}}}" for i in range(SERVERS))
    replicas = ", ".join(f"{{node: n{i}}}" for i in range(SERVERS))
    return loads(
        f"""
name: bare_simpy
duration: {round(requests / RATE_PER_S)}s
nodes:
{nodes}
models:
  - name: m
    backend: {{health: independent}}
    service: {{mean: {round(MEAN_SERVICE_S * 1000)}ms, distribution: exponential}}
    replicas: [{replicas}]
router: {{profile: hardened}}
registry: {{transaction: 0ms}}
network: {{latency: 0ms}}
workload:
  - {{kind: poisson, model: m, rate: {RATE_PER_S}/s}}
"""
    ).variants["default"]


def run_ours(requests: int) -> dict[str, float]:
    """Run the work through the whole router."""
    work = scenario(requests)
    before_kb = _peak_kb()
    began = time.perf_counter()
    result = run_scenario(work)
    seconds = time.perf_counter() - began
    served = result.metrics["requests.completed"]
    return {
        "requests": served,
        "seconds": seconds,
        "mean_s": result.metrics["latency.mean_s"],
        "bytes_per_request": (_peak_kb() - before_kb) * 1024 / served,
    }


def run_bare(requests: int) -> dict[str, float]:
    """Run the same arrivals and service times through a bare SimPy model."""
    open_requests = make_plan(scenario(requests), 0).open
    arrivals_s = (open_requests["arrival_ns"] / 1e9).tolist()
    services_s = (open_requests["demand_ns"] / 1e9).tolist()
    before_kb = _peak_kb()
    began = time.perf_counter()
    times_s = _bare_model(arrivals_s, services_s)
    mean_s = statistics.fmean(times_s)
    seconds = time.perf_counter() - began
    return {
        "requests": len(times_s),
        "seconds": seconds,
        "mean_s": mean_s,
        "bytes_per_request": (_peak_kb() - before_kb) * 1024 / len(times_s),
    }


def _bare_model(arrivals_s: list[float], services_s: list[float]) -> list[float]:
    env = simpy.Environment()
    servers = [simpy.Resource(env) for _ in range(SERVERS)]
    in_flight = [0] * SERVERS
    last_used = [-1.0] * SERVERS
    times_s: list[float] = []

    def serve(service_s: float) -> Generator[simpy.Event, Any, None]:
        began_s = env.now
        best = min(range(SERVERS), key=lambda server: (in_flight[server], last_used[server]))
        in_flight[best] += 1
        last_used[best] = env.now
        with servers[best].request() as turn:
            yield turn
            yield env.timeout(service_s)
        in_flight[best] -= 1
        times_s.append(env.now - began_s)

    def arrive() -> Generator[simpy.Event, Any, None]:
        for arrival_s, service_s in zip(arrivals_s, services_s, strict=True):
            yield env.timeout(arrival_s - env.now)
            env.process(serve(service_s))

    env.process(arrive())
    env.run()
    return times_s


def _peak_kb() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _measure(kind: str, requests: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--only", kind, "--requests", str(requests)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured


def main() -> None:
    """Measure pairs and print their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", choices=["ours", "bare"], help="one run, printed as JSON")
    options = parser.parse_args()
    if options.only:
        run = {"ours": run_ours, "bare": run_bare}[options.only]
        run(WARM_UP_REQUESTS)
        print(json.dumps(run(options.requests)))
        return
    ratios: list[float] = []
    for _ in range(options.pairs):
        bare, ours = _measure("bare", options.requests), _measure("ours", options.requests)
        ratios.append(bare["seconds"] / ours["seconds"])
        print(
            f"bare {bare['requests'] / bare['seconds']:9,.0f} requests/s   "
            f"ours {ours['requests'] / ours['seconds']:9,.0f} requests/s   ratio {ratios[-1]:.2f}   "
            f"mean {bare['mean_s']:.9f} / {ours['mean_s']:.9f} s   "
            f"memory {bare['bytes_per_request']:.0f} / {ours['bytes_per_request']:.0f} bytes a request",
            flush=True,
        )
    print(f"ratio: median {statistics.median(ratios):.2f} [{min(ratios):.2f} to {max(ratios):.2f}]")


if __name__ == "__main__":
    main()
