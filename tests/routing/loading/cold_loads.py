"""A model to be loaded for the requests of several frontends, and what became of the requests."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

from sim.routing.errors import DeadlineExceeded, Unavailable
from sim.routing.fleet import LoadJob
from sim.routing.frontend import FrontendCore, build_frontend
from sim.routing.loading.eviction import Eviction
from sim.routing.loading.free_process import stop_exact_process
from sim.routing.loading.job_load import JobLoad
from sim.routing.loading.load_limits import BY_SIZE
from sim.routing.loading.load_path import LoadPath
from sim.routing.loading.placement import REPAIRED
from sim.routing.outcomes import Outcome
from sim.routing.ports import FrontendPorts
from sim.routing.proxy import MadeCall
from sim.routing.request import Request
from sim.routing.request_path.route import Route
from sim.routing.settings import FrontendSettings
from sim.scenario.spec.router import RouterSpec
from sim.simulated.faults.interposed import interposed_registry
from sim.simulated.nodes.backend import LoadFailure
from tests.counting import counted
from tests.drivers import SECOND
from tests.routing.fleet_world import MODEL, SERIALISING, FleetWorld, nodes

MINUTE = 60 * SECOND

REFUSAL = "the weights are damaged"

COMPLETED, REJECTED = ("COMPLETED", ""), ("REJECTED", "StillLoading")


def world_of(*names: str, load_s: int = 20, install_s: int = 0, transaction_ns: int = 0) -> FleetWorld:
    """Return nodes with a slot each, where nothing but this takes time, and no frontend yet."""
    process = replace(SERIALISING.process, load_time_ns=load_s * SECOND)
    model = replace(SERIALISING, process=process, install_time_ns=install_s * SECOND)
    return FleetWorld(nodes(*names), {MODEL: model}, transaction_ns=transaction_ns)


def settings(**control: str) -> FrontendSettings:
    return RouterSpec.model_validate({"profile": "hardened", "control": control}).settings()


def frontend(world: FleetWorld, ports: FrontendPorts | None = None, **control: str) -> FrontendCore:
    return build_frontend(settings(**control), ports or world.ports(), {})


def send(world: FleetWorld, frontend: FrontendCore, requests: int = 1, demand_ns: int = 0) -> None:
    """Have requests arrive now."""
    for _ in range(requests):
        world.runtime.spawn(frontend.serve(world.request(demand_ns=demand_ns)), "request")


async def visit(world: FleetWorld, frontend: FrontendCore, patience_ns: int) -> None:
    """Send a request whose client leaves after so long."""
    request = world.request()
    with suppress(DeadlineExceeded):
        await world.runtime.within(patience_ns, frontend.serve(request))
        return
    world.journal.ended(request, Outcome.CANCELLED, "client_left")


def ends(world: FleetWorld) -> list[tuple[float, str, str]]:
    """Return when each request ended, in seconds, and how, in the order of arrival."""
    records = world.journal.records
    causes = [*records.causes, ""]
    columns = (records.requests[column].tolist() for column in ("end_ns", "outcome", "cause"))
    return [
        (end_ns / SECOND, Outcome(outcome).name, causes[cause]) for end_ns, outcome, cause in zip(*columns, strict=True)
    ]


def loads(world: FleetWorld) -> int:
    return len(world.told("load_started"))


def job(world: FleetWorld) -> LoadJob | None:
    return world.database.jobs.get(MODEL)


def job_load(world: FleetWorld) -> JobLoad:
    """Return the strategy by itself, whose errors a frontend would keep to its journal."""
    ports = world.ports()
    load_path = LoadPath(counted(ports), {}, REPAIRED, Eviction(ports, {}, stop_exact_process), BY_SIZE)
    return JobLoad(ports, load_path, wait_ns=MINUTE)


async def nothing_warm(_request: Request) -> Route | None:
    return None


def ports_around(world: FleetWorld, around: Callable[[str, MadeCall], Awaitable[Any]]) -> FrontendPorts:
    """Return a frontend's ports on whose registry each call, known by its name, goes through `around`."""
    ports = world.ports()
    return replace(ports, registry=interposed_registry(ports.runtime, ports.registry, around, world.table.leak))


def ports_without(world: FleetWorld, *names: str, from_s: int = 0, to_s: int = 1_000) -> FrontendPorts:
    """Return a frontend's ports whose registry does not answer these calls from one time to before the other."""

    async def around(name: str, call: MadeCall) -> Any:
        if name in names and from_s * SECOND <= world.runtime.now_ns() < to_s * SECOND:
            raise Unavailable(f"no answer to {name}")
        return await call()

    return ports_around(world, around)


def failing_once(world: FleetWorld, after_ns: int) -> None:
    """Have the first load fail so late, and later ones succeed."""
    failures = [LoadFailure(REFUSAL, after_ns)]
    world.workers.load_failure = lambda _key: failures.pop() if failures else None
