"""How fast and how large a run is, beside a bare SimPy model of the same queueing, measured side by side.

    python tests/benchmarks/against_bare_simpy.py [--work W1 W2 W3] [--requests 200000] [--pairs 5]

The work: first-come-first-served servers at utilization 0.8, Poisson arrivals, exponential service, each request to
the server with the fewest in flight, the least recently used on ties. W1 has 8 servers, and neither the network nor
the registry takes time; W2 is W1 with the latencies that a scenario has by default, which the bare model lacks; W3 is
W1 with 1,000 servers, and a twentieth of the requests.

The bare model has one Resource a server and one process a request, and keeps each response time. Ours runs the whole
hardened router (pick, probe cache, in-flight counts) with everything recorded, summarised and digested. Both see the
same arrivals and service times, drawn beforehand; each run is a fresh process, the two kinds in turn, and the ratio
is taken pair by pair, because machines are noisy.
"""

import argparse
import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Generator
from typing import Any, NamedTuple

import simpy

from sim import loads
from sim.scenario import Scenario, make_plan
from sim.study.run import run_scenario

RATE_PER_SERVER_S = 1.6
MEAN_SERVICE_S = 0.5
WARM_UP_REQUESTS = 1000
"""Run first, so that modules which are loaded when they are needed are not counted."""


class Work(NamedTuple):
    """What is simulated."""

    servers: int
    has_latency: bool
    share: float
    """How many of the requests that are asked for."""

    @property
    def rate_per_s(self) -> float:
        """Arrivals of all requests."""
        return RATE_PER_SERVER_S * self.servers


WORKS = {"W1": Work(8, False, 1), "W2": Work(8, True, 1), "W3": Work(1000, False, 0.05)}


def scenario(requests: int, work: Work = WORKS["W1"]) -> Scenario:
    """Return the scenario of the work."""
    nodes = "\n".join(f"  - {{name: n{i}}}" for i in range(work.servers))
    replicas = ", ".join(f"{{node: n{i}}}" for i in range(work.servers))
    no_latency = "registry: {transaction: 0ms}\nnetwork: {latency: 0ms}"
    return loads(
        f"""
name: bare_simpy
duration: {round(1000 * requests / work.rate_per_s)}ms
nodes:
{nodes}
models:
  - name: m
    backend: {{health: independent}}
    service: {{mean: {round(MEAN_SERVICE_S * 1000)}ms, distribution: exponential}}
    replicas: [{replicas}]
router: {{profile: hardened}}
{"" if work.has_latency else no_latency}
workload:
  - {{kind: poisson, model: m, rate: {work.rate_per_s}/s}}
"""
    ).variants["default"]


def run_ours(requests: int, work: Work = WORKS["W1"]) -> dict[str, float]:
    """Run the work through the whole router."""
    run = scenario(requests, work)
    before_kb = _peak_kb()
    began = time.perf_counter()
    result = run_scenario(run)
    seconds = time.perf_counter() - began
    served = result.metrics["requests.completed"]
    return {
        "requests": served,
        "seconds": seconds,
        "mean_s": result.metrics["latency.mean_s"],
        "bytes_per_request": (_peak_kb() - before_kb) * 1024 / served,
    }


def run_bare(requests: int, work: Work = WORKS["W1"]) -> dict[str, float]:
    """Run the same arrivals and service times through a bare SimPy model."""
    open_requests = make_plan(scenario(requests, work), 0).open
    arrivals_s = (open_requests["arrival_ns"] / 1e9).tolist()
    services_s = (open_requests["demand_ns"] / 1e9).tolist()
    before_kb = _peak_kb()
    began = time.perf_counter()
    times_s = _bare_model(work.servers, arrivals_s, services_s)
    mean_s = statistics.fmean(times_s)
    seconds = time.perf_counter() - began
    return {
        "requests": len(times_s),
        "seconds": seconds,
        "mean_s": mean_s,
        "bytes_per_request": (_peak_kb() - before_kb) * 1024 / len(times_s),
    }


def _bare_model(count: int, arrivals_s: list[float], services_s: list[float]) -> list[float]:
    env = simpy.Environment()
    servers = [simpy.Resource(env) for _ in range(count)]
    in_flight = [0] * count
    last_used = [-1.0] * count
    times_s: list[float] = []

    def serve(service_s: float) -> Generator[simpy.Event, Any, None]:
        began_s = env.now
        best = min(range(count), key=lambda server: (in_flight[server], last_used[server]))
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


def _measure(kind: str, name: str, requests: int) -> dict[str, float]:
    command = [sys.executable, __file__, "--only", kind, "--work", name, "--requests", str(requests)]
    answer = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(answer.stdout)
    return measured


def _compare(name: str, requests: int, pairs: int) -> None:
    ratios: list[float] = []
    for _ in range(pairs):
        bare, ours = _measure("bare", name, requests), _measure("ours", name, requests)
        ratios.append(bare["seconds"] / ours["seconds"])
        print(
            f"{name}  bare {bare['requests'] / bare['seconds']:9,.0f} requests/s   "
            f"ours {ours['requests'] / ours['seconds']:9,.0f} requests/s   ratio {ratios[-1]:.2f}   "
            f"mean {bare['mean_s']:.9f} / {ours['mean_s']:.9f} s   "
            f"memory {bare['bytes_per_request']:.0f} / {ours['bytes_per_request']:.0f} bytes a request",
            flush=True,
        )
    print(f"{name}  ratio: median {statistics.median(ratios):.2f} [{min(ratios):.2f} to {max(ratios):.2f}]")


def main() -> None:
    """Measure pairs and print their ratios."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--work", choices=WORKS, nargs="+", default=list(WORKS))
    parser.add_argument("--requests", type=int, default=200_000)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--only", choices=["ours", "bare"], help="one run of the first work, printed as JSON")
    options = parser.parse_args()
    if not options.only:
        for name in options.work:
            _compare(name, options.requests, options.pairs)
        return
    run, work = {"ours": run_ours, "bare": run_bare}[options.only], WORKS[options.work[0]]
    run(WARM_UP_REQUESTS, work)
    print(json.dumps(run(round(options.requests * work.share), work)))


if __name__ == "__main__":
    main()
