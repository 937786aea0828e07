"""Scenario text: reading it with places, units, merging of variants, messages."""
