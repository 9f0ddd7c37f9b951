"""Exit codes and messages of the errors that end a command."""

from __future__ import annotations

import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from kb.schema.errors import IndexUnusable, InvalidRequest, KbError
from kb.schema.extras import missing
from kb.storage.disk_errors import storage_error

FAILED, USAGE, INDEX_UNUSABLE, STOPPED = 1, 2, 3, 130

EXPECTED = (KbError, ModuleNotFoundError, OSError, sqlite3.Error)
"""What a user or the machine can cause."""


def explain(error: Exception) -> tuple[str, int]:
    """The message and the exit code of one that is EXPECTED."""
    if isinstance(error, IndexUnusable):
        return str(error), INDEX_UNUSABLE
    if isinstance(error, KbError):
        return str(error), USAGE if isinstance(error, InvalidRequest) else FAILED
    if isinstance(error, ModuleNotFoundError):
        return str(missing(error.name)), FAILED
    if isinstance(error, OSError | sqlite3.Error):
        told = storage_error(error)
        return str(told) if told else _in_words(error), FAILED
    raise error


@contextmanager
def errors_to_log(log_format: str) -> Iterator[None]:
    """Log to stderr, and where the log is JSON what ends the command as well: then every line there is an object.

    Where it is text that message stands by itself, as it does for every other command.
    """
    from kb.reporting.logs import configure_logging

    configure_logging("info", "json" if log_format == "json" else "text")
    if log_format != "json":
        yield
        return
    try:
        yield
    except EXPECTED as error:
        message, code = explain(error)
        logging.getLogger("kb").error(message)
        raise click.exceptions.Exit(code) from None
    except KeyboardInterrupt:
        logging.getLogger("kb").error("Stopped.")
        raise click.exceptions.Exit(STOPPED) from None


def _in_words(error: OSError | sqlite3.Error) -> str:
    if isinstance(error, sqlite3.Error):
        return f"A database cannot be read or written ({error})."
    place = f"{Path(error.filename)}: " if error.filename else ""
    return f"{place}{error.strerror or error}"
