"""Runs as people and programs read them: a table on the terminal, a JSON document."""
