"""Slips in what nodes, their processes and the background loops do."""
