"""Given what ended a command, its exit code and the message that says so."""

from __future__ import annotations

import errno
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click

from kb.errors import IndexUnusable, InvalidRequest, KbError

FAILED, USAGE, INDEX_UNUSABLE, STOPPED = 1, 2, 3, 130

EXPECTED = (KbError, ModuleNotFoundError, OSError)
"""What a user or the machine can cause."""


def explain(error: Exception) -> tuple[str, int]:
    """The message and the exit code of one that is EXPECTED."""
    if isinstance(error, IndexUnusable):
        return str(error), INDEX_UNUSABLE
    if isinstance(error, KbError):
        return str(error), USAGE if isinstance(error, InvalidRequest) else FAILED
    if isinstance(error, ModuleNotFoundError):
        return (
            f"this command needs {error.name}, which answering alone does not. "
            "Install it: pip install 'sectioned-kb[indexing]'"
        ), FAILED
    if isinstance(error, OSError):
        place = f"{Path(error.filename)}: " if error.filename else ""
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        remedy = ": make room there, then run this again." if full else ""
        return f"{place}{error.strerror or error}{remedy}", FAILED
    raise error


@contextmanager
def told_by_the_log(log_format: str) -> Iterator[None]:
    """Log to stderr, and where the log is JSON what ends the command as well: then every line there is an object.

    Where it is text that message stands by itself, as it does for every other command.
    """
    from search_api.logs import configure_logging

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
