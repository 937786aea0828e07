"""Both ways of sharing a call, each in turn."""

import pytest

from sim.routing.request_path.singleflight import DetachedFlight, LeaderOwnedFlight

Flights = type[LeaderOwnedFlight | DetachedFlight]


@pytest.fixture(params=[LeaderOwnedFlight, DetachedFlight])
def flights(request: pytest.FixtureRequest) -> Flights:
    """Return each strategy in turn."""
    kind: Flights = request.param
    return kind
