"""Logging to stderr, one event a line: as text, or as JSON for a log collector.

Nothing else writes to stderr: Python's warnings and uncaught exceptions become log lines too. A line that a request
caused has the request's id. The message of an exception is never written, because it may contain a question. Its type
and source locations are written instead.
"""

from __future__ import annotations

import asyncio
import json
import logging
import sys
import threading
import warnings
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.config import dictConfig
from types import TracebackType
from typing import Any, Literal, TextIO

from kb.reporting.safe_traceback import safe_traceback, safe_warning

logger = logging.getLogger(__name__)

ANNOUNCEMENT_LOGGER = "search_api.announcements"
"""The logger of announcements. They are logged at every level. As text, they have no time and level."""

request_id_of_context: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the current request, also in threads that work for it."""

LogFormat = Literal["text", "json"]


class TextFormatter(logging.Formatter):
    """One line of text: time, level, logger, message. An announcement is its message alone."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        return record.getMessage() if record.name == ANNOUNCEMENT_LOGGER else super().format(record)

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """The error's types and source locations, without messages."""
        return safe_traceback(ei[1])


class JsonFormatter(logging.Formatter):
    """One JSON object a line: `time`, `level`, `logger`, `message`, `request_id`, and a record's own `fields`."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        entry: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request_id := request_id_of_context.get():
            entry["request_id"] = request_id
        entry |= getattr(record, "fields", {})
        if record.exc_info and record.exc_info[1] is not None:
            entry["error"] = safe_traceback(record.exc_info[1])
        return json.dumps(entry, ensure_ascii=False)


def configure_logging(level: str, log_format: LogFormat = "text") -> None:
    """Log to stderr, one line an event."""
    formatter = {"text": TextFormatter, "json": JsonFormatter}[log_format]
    dictConfig(
        {
            "version": 1,
            "disable_existing_loggers": False,
            "formatters": {"line": {"()": formatter}},
            "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
            "root": {"level": "WARNING", "handlers": ["stderr"]},
            "loggers": {
                "search_api": {"level": level.upper()},
                ANNOUNCEMENT_LOGGER: {"level": "INFO"},
            },
        }
    )
    sys.excepthook = _log_uncaught
    sys.unraisablehook = _log_unraisable
    threading.excepthook = _log_thread
    warnings.showwarning = _log_warning


def announce(message: str) -> None:
    """Log an announcement, such as where the service listens. Nothing is written without `configure_logging`."""
    logging.getLogger(ANNOUNCEMENT_LOGGER).info(message)


def _log_uncaught(
    kind: type[BaseException], error: BaseException, places: TracebackType | None
) -> None:
    logger.critical("ended by an uncaught exception", exc_info=(kind, error, places))


def _log_unraisable(fault: sys.UnraisableHookArgs) -> None:
    error = fault.exc_value
    logger.error(
        "an exception could not be raised: %s", safe_traceback(error) if error else "no exception"
    )


def _log_thread(fault: threading.ExceptHookArgs) -> None:
    if fault.exc_value is not None and not isinstance(fault.exc_value, SystemExit):
        logger.error("a thread ended by an uncaught exception: %s", safe_traceback(fault.exc_value))


def _log_warning(
    message: Warning | str,  # noqa: ARG001 - it may hold a question, as an exception's may
    category: type[Warning],
    filename: str,
    lineno: int,
    file: TextIO | None = None,  # noqa: ARG001 - as warnings.showwarning has it
    line: str | None = None,  # noqa: ARG001
) -> None:
    logger.warning("Python warned: %s", safe_warning(category, filename, lineno))


def report_without_messages(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An event loop's exception handler. The default one would log exception messages and task results."""
    error = context.get("exception")
    logging.getLogger(__name__).error(
        "the event loop met a fault: %s", safe_traceback(error) if error else "no exception"
    )
