"""What goes wrong in a scenario: one class for each kind of fault, which says what happens, when and to whom.

This is the catalogue of faults, numbered within their families: nodes (N), replicas (R), probes (P), the registry (G),
the network (W), clocks (C), clients (U) and frontends (F). Each is expressed by a kind, by a kind with a certain value,
or by a key that scenarios have anyway.

    N1   node_crash
    N2   node_pause
    N3   node_slow
    N4   node_drain
    N5   node_reregister
    N6   node_vram_report
    N7   node_group_crash
    N8   node_crash_loop
    R1   replica_exit, when: idle
    R2   replica_exit, when: busy
    R3   replica_hang
    R4   no kind: health calls wait behind requests with models.backend, health: serialized and its workers
    R5   replica_answers_for
    R6   slow_start
    R7   load_failure
    R8   replica_forgets_model
    R9   row_lost
    P1   probe_timeout
    P2   probe_reply_at_deadline
    P3   probe_late_reply, its delay above router.probe.timeout
    P4   probe_false_negative
    P5   probe_false_positive
    P6   probe_error
    P7   probe_leader_leaves
    P8   probe_callers_leave
    P9   probe_late_reply, its delay above router.probe.ttl
    P10  probe_flapping
    G1   transaction_abort
    G2   deadlock
    G3   lock_held
    G4   connection_lost, when: before_commit or after_commit
    G5   pool_exhausted
    G6   stale_reads
    G7   row_deleted
    G8   duplicate_row
    G9   null_value
    G10  registry_outage
    G11  statement_timeout
    G12  advisory_lock_lost
    W1   network_latency
    W2   message_loss
    W3   message_duplicate
    W4   message_reorder
    W5   one_way_partition
    W6   partition
    W7   clog
    W8   connection_reset
    W9   bus_loss, with a delay if late rather than lost
    C1   clock_offset
    C2   clock_drift
    C3   clock_step
    C4   clock_frozen
    C5   clock_coarse
    C6   clock_zone
    U1   client_leaves
    U2   retry_storm
    U3   client_deadline
    U4   client_burst
    U5   slow_reader
    F1   frontend_crash
    F2   frontend_crash, with restart_after
    F3   frontend_pause
    F4   background_doubled
    F5   mixed_policy
"""

from collections.abc import Mapping
from typing import Annotated, Any, get_args

from pydantic import Field

from sim.scenario.spec.faults.base import Fault, OnsetFault, RateFault, SpellFault, TimedFault, WindowFault
from sim.scenario.spec.faults.client import ClientFault
from sim.scenario.spec.faults.clock import ClockFault
from sim.scenario.spec.faults.frontend import FrontendFault
from sim.scenario.spec.faults.network import NetworkFault
from sim.scenario.spec.faults.node import NodeFault
from sim.scenario.spec.faults.probe import ProbeFault
from sim.scenario.spec.faults.registry import RegistryFault
from sim.scenario.spec.faults.replica import ReplicaFault

FaultSpec = Annotated[
    NodeFault | ReplicaFault | ProbeFault | RegistryFault | NetworkFault | ClockFault | ClientFault | FrontendFault,
    Field(discriminator="kind"),
]
"""One fault of a scenario."""


def _kinds(family: Any) -> tuple[str, ...]:
    return tuple(kind for one in get_args(family) for kind in get_args(one.model_fields["kind"].annotation))


FAULT_KINDS: Mapping[str, tuple[str, ...]] = {
    "node": _kinds(NodeFault),
    "replica": _kinds(ReplicaFault),
    "probe": _kinds(ProbeFault),
    "registry": _kinds(RegistryFault),
    "network": _kinds(NetworkFault),
    "clock": _kinds(ClockFault),
    "client": _kinds(ClientFault),
    "frontend": _kinds(FrontendFault),
}
"""The names of all kinds, by family."""

__all__ = [
    "FAULT_KINDS",
    "ClientFault",
    "ClockFault",
    "Fault",
    "FaultSpec",
    "FrontendFault",
    "NetworkFault",
    "NodeFault",
    "OnsetFault",
    "ProbeFault",
    "RateFault",
    "RegistryFault",
    "ReplicaFault",
    "SpellFault",
    "TimedFault",
    "WindowFault",
]
