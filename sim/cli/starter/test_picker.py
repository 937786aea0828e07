"""What has to hold of the picker, beside what balance.yaml expects of it."""

from sim import run_all


def test_every_replica_gets_its_share():
    assert run_all("balance.yaml", allow_code=True).failed == []
