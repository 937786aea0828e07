"""What else has to hold of the picker."""

from sim.testing import assert_balanced, assert_not_worse


def test_every_replica_gets_its_share(sim_run):
    assert_balanced(sim_run("balance.yaml", variant="mine"))


def test_nobody_waits_longer_than_with_localai(sim_run):
    localai = sim_run("balance.yaml", variant="localai")
    mine = sim_run("balance.yaml", variant="mine")

    assert_not_worse(localai, mine, "latency.p99_s", margin=0.1)
