"""Plots that set variants side by side."""
