"""Slips in which replica a request goes to."""
