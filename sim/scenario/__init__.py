"""Scenarios: YAML text to typed, validated values, and those to a plan of every request. Knows nothing of a run."""

from sim.scenario.dump import dump
from sim.scenario.json_schema import json_schema
from sim.scenario.load import ScenarioFile, load, loads
from sim.scenario.plan.plan import OpenRequests, Plan, make_plan
from sim.scenario.plan.streams import stream
from sim.scenario.spec.expectation import Expectation
from sim.scenario.spec.faults import FAULT_KINDS, FaultSpec
from sim.scenario.spec.nodes import NodeSpec
from sim.scenario.spec.router import ProbeSpec, RouterSpec
from sim.scenario.spec.schema import (
    BackendSpec,
    ModelSpec,
    NetworkSpec,
    RegistrySpec,
    ReplicaSpec,
    Scenario,
)
from sim.scenario.spec.service import ServiceLaw, ServiceSpec, service_law, token_rates
from sim.scenario.spec.workload import WorkloadSpec
from sim.scenario.text.errors import Problem, ScenarioError
from sim.scenario.vocabulary import NO_METRICS, Vocabulary

__all__ = [
    "FAULT_KINDS",
    "NO_METRICS",
    "BackendSpec",
    "Expectation",
    "FaultSpec",
    "ModelSpec",
    "NetworkSpec",
    "NodeSpec",
    "OpenRequests",
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
    "Vocabulary",
    "WorkloadSpec",
    "dump",
    "json_schema",
    "load",
    "loads",
    "make_plan",
    "service_law",
    "stream",
    "token_rates",
]
