"""Faults of health calls, whoever makes them: requests or loops."""
