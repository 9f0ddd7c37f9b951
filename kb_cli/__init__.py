"""The command `kb`. Only this package knows both the indexer and the service. It loads them lazily."""

from kb_cli.main import main

__all__ = ["main"]
