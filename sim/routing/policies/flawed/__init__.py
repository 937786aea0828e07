"""Policies with a mistake that people have made, each for the scenario of the corpus that shows what comes of it."""
