"""The page of strategies: whatever a scenario may name is there, and nothing else."""

from collections.abc import Mapping
from typing import Any, get_args

import pytest

from sim.routing import settings, strategies

# id: (the names that a scenario may write, the strategies by name)
TABLES: dict[str, tuple[object, Mapping[Any, object]]] = {
    "reservation": (settings.ReservationName, strategies.RESERVATIONS),
    "registry error": (settings.OnRegistryErrorName, strategies.ON_REGISTRY_ERROR),
    "wrong model": (settings.OnWrongModelName, strategies.ON_WRONG_MODEL),
    "exact stop": (settings.ExactStopName, strategies.EXACT_STOPS),
    "retry": (settings.RetryName, strategies.RETRIES),
    "selector": (settings.SelectorName, strategies.SELECTORS),
    "listed counts": (settings.ListedCountsName, strategies.LISTED_COUNTS),
    "sharing of probes": (settings.SharingName, strategies.SHARING),
    "reading of probes": (settings.ReadingName, strategies.READINGS),
    "disk": (settings.DiskRuleName, strategies.DISK),
    "placement": (settings.PlacementName, strategies.PLACEMENT),
    "slots": (settings.SlotsName, strategies.SLOTS),
    "rows of a load": (settings.LoadRowsName, strategies.LOAD_ROWS),
    "retry of a load": (settings.LoadRetryName, strategies.LOAD_RETRIES),
    "load limit": (settings.LoadLimitName, strategies.LOAD_LIMITS),
    "freeing of processes": (settings.ReleaseName, strategies.FREE_PROCESS),
    "node status": (settings.NodeStatusName, strategies.NODE_RULES),
    "monitoring": (settings.MonitoringName, strategies.MONITORING),
    "reaper": (settings.ReaperName, strategies.REAPERS),
    "load info": (settings.LoadInfoName, strategies.LOAD_INFO),
    "edits of a model": (settings.ModelEditsName, strategies.MODEL_EDITS),
    "scaling": (settings.ScalingName, strategies.TURNS),
    "passes": (settings.PassRuleName, strategies.PASSES),
}


@pytest.mark.parametrize(("names", "table"), TABLES.values(), ids=TABLES)
def test_every_name_has_a_strategy_of_its_own(names: object, table: Mapping[Any, object]) -> None:
    assert set(table) == set(get_args(names))
    assert len({id(strategy) for strategy in table.values()}) == len(table)
