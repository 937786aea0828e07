"""Scenarios: YAML text to typed, validated values, and those to a plan of every request. Knows nothing of a run."""

from sim.scenario.dump import dump
from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.faults import FAULT_KINDS, FaultSpec
from sim.scenario.json_schema import json_schema
from sim.scenario.load import ScenarioFile, load, loads
from sim.scenario.metric_names import METRIC_NAMES, is_metric
from sim.scenario.nodes import NodeSpec
from sim.scenario.plan import Call, ClosedUser, OpenRequests, OpenRow, Plan, make_plan
from sim.scenario.router import ProbeSpec, RouterSpec
from sim.scenario.schema import (
    BackendSpec,
    Expectation,
    ModelSpec,
    NetworkSpec,
    RegistrySpec,
    ReplicaSpec,
    Scenario,
)
from sim.scenario.service import ServiceLaw, ServiceSpec, service_law, token_rates
from sim.scenario.streams import stream
from sim.scenario.workload import WorkloadSpec

__all__ = [
    "FAULT_KINDS",
    "METRIC_NAMES",
    "BackendSpec",
    "Call",
    "ClosedUser",
    "Expectation",
    "FaultSpec",
    "ModelSpec",
    "NetworkSpec",
    "NodeSpec",
    "OpenRequests",
    "OpenRow",
    "Plan",
    "ProbeSpec",
    "Problem",
    "RegistrySpec",
    "ReplicaSpec",
    "RouterSpec",
    "Scenario",
    "ScenarioError",
    "ScenarioFile",
    "ServiceLaw",
    "ServiceSpec",
    "WorkloadSpec",
    "dump",
    "is_metric",
    "json_schema",
    "load",
    "loads",
    "make_plan",
    "service_law",
    "stream",
    "token_rates",
]
