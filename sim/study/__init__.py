"""Whole experiments: scenarios in, figures, tables and verdicts out."""
