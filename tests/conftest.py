"""What the tests share: the driver under which a story of the routing code is run, and how examples are drawn."""

import pytest
from hypothesis import HealthCheck, settings

from tests.drivers import DRIVERS, Driver

# A slow machine is no reason for a test to fail.
settings.register_profile("any machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any machine")


@pytest.fixture(params=list(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Driver:
    """Return each driver in turn, so that a test runs in both worlds."""
    return DRIVERS[request.param]
