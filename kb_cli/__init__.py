"""The command `kb`: the one place that may know the indexer and the service; it loads both lazily."""

from kb_cli.main import main

__all__ = ["main"]
