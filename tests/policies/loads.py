"""The loads on which the built-in policies are compared."""

from pathlib import Path

FOLDER = Path(__file__).resolve().parents[2] / "scenarios" / "policies"
LOADS = ("even_nodes", "uneven_nodes", "bursts", "conversation")
BASE = "best_replica"
"""What every other policy is compared with: LocalAI's own."""
EQUAL_HERE = {
    "outlier_ejection": "no request fails, so it is `least_in_flight`",
    "zone_aware": "there are no zones, so it is `least_in_flight`",
    "prefix_cache": "no prompt begins like another one, so it is `best_replica`",
    "prefix_then_balance": "no prompt begins like another one, so it balances alone",
}
"""Policies that the loads leave out, and why."""
