"""Runs on disk: files that appear whole or not at all, and the folder of one run."""
