"""Slips on the way of a request: its probe, its counts, its client, its end."""
