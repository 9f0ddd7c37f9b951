"""A generation: begun from a base, guarded against loss, finished, published and collected."""
