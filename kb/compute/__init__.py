"""Arrays, compiled loops and threads. Nothing here knows of articles."""
