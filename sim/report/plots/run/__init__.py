"""Plots of one run."""
