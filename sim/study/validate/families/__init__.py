"""From entries to questions, a file for each family of models."""
