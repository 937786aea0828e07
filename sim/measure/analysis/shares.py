"""The share of each replica over time: where the requests of each stretch of a run went."""

import pandas as pd


def share_over_time(requests: pd.DataFrame, window_s: float) -> pd.DataFrame:
    """Return the share of each replica in its model's requests that arrived in each window of `window_s` seconds.

    `requests` is a run's table of requests. The result has a row per window from 0 to the last routed arrival, indexed
    by the window's start in seconds (`window_start_s`), and a column per replica, in the order of the table. Requests
    that got no route count for nobody. A window in which none of the model was routed is missing. ValueError unless
    `window_s` is above 0.
    """
    if not window_s > 0:
        raise ValueError(f"a window lasts more than 0 s, not {window_s}")
    routed = requests[requests["replica"].notna()]
    windows = (routed["arrival_s"] // window_s).astype("int64")
    counts = pd.crosstab(windows, routed["replica"], dropna=False)
    counts = counts.reindex(range(int(windows.max()) + 1 if len(windows) else 0), fill_value=0)
    counts.index = pd.Index(counts.index * window_s, name="window_start_s", dtype="float64")
    counts.columns = pd.Index([str(name) for name in counts.columns], name="replica", dtype="str")
    if counts.empty:
        return counts.astype("float64")
    # A label begins with its model where there are several.
    models = counts.columns.str.rpartition("@").get_level_values(0)
    of_model = counts.T.groupby(models).transform("sum").T
    return counts / of_model.where(of_model > 0)
