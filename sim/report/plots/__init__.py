"""Pictures of results, drawn with matplotlib, which is imported only when a plot is asked for."""
