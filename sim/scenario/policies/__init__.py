"""Policies that a scenario names: where they come from, whether they may be used, and who gets them."""
