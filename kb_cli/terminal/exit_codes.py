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

EXIT_FAILED, EXIT_USAGE, EXIT_INDEX_UNUSABLE, EXIT_STOPPED = 1, 2, 3, 130

EXPECTED_ERRORS = (KbError, ModuleNotFoundError, OSError, sqlite3.Error)
"""Errors that a user or the machine can cause."""


def explain(error: Exception) -> tuple[str, int]:
    """The message and the exit code for one of EXPECTED_ERRORS."""
    if isinstance(error, IndexUnusable):
        return str(error), EXIT_INDEX_UNUSABLE
    if isinstance(error, KbError):
        return str(error), EXIT_USAGE if isinstance(error, InvalidRequest) else EXIT_FAILED
    if isinstance(error, ModuleNotFoundError):
        return str(missing(error.name)), EXIT_FAILED
    if isinstance(error, OSError | sqlite3.Error):
        told = storage_error(error)
        return str(told) if told else _in_words(error), EXIT_FAILED
    raise error


@contextmanager
def errors_to_log(log_format: str) -> Iterator[None]:
    """Log to stderr. If the log is JSON, the error that ends the command is logged too, so every line is an object.

    If it is text, that message is printed as it is, as for every other command.
    """
    from kb.reporting.logs import configure_logging

    configure_logging("info", "json" if log_format == "json" else "text")
    if log_format != "json":
        yield
        return
    try:
        yield
    except EXPECTED_ERRORS as error:
        message, code = explain(error)
        logging.getLogger("kb").error(message)
        raise click.exceptions.Exit(code) from None
    except KeyboardInterrupt:
        logging.getLogger("kb").error("Stopped.")
        raise click.exceptions.Exit(EXIT_STOPPED) from None


def _in_words(error: OSError | sqlite3.Error) -> str:
    if isinstance(error, sqlite3.Error):
        return f"A database cannot be read or written ({error})."
    place = f"{Path(error.filename)}: " if error.filename else ""
    return f"{place}{error.strerror or error}"
