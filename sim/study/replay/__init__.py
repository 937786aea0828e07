"""Recorded live runs, decided again."""
