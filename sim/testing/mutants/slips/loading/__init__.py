"""Slips in how replicas are loaded, and in what becomes of a load that fails."""
