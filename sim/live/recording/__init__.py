"""A live run's inputs and decisions, recorded so that the same routing code can replay them."""
