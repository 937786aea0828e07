"""Scenarios run live, and beside their simulated twins."""
