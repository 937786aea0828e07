"""How a frontend keeps, checks and drops its clients of a model: the layer that LocalAI calls its loader."""
