"""What the tests share: the driver under which a story of the routing code is run."""

import pytest

from tests.drivers import DRIVERS, Driver


@pytest.fixture(params=list(DRIVERS))
def driver(request: pytest.FixtureRequest) -> Driver:
    """Return each driver in turn, so that a test runs in both worlds."""
    return DRIVERS[request.param]
