"""Stories: what happened to one request or to one row, step by step, and why. Observers write them down."""
