"""Given what the service has to say, lines on stderr: as text, or as JSON for a collector of logs.

A line that a request caused bears the request's id. The message of an exception is never written, be it ours or a
library's: it may hold a question. What is written of one are its type and the places it passed.
"""

from __future__ import annotations

import asyncio
import json
import logging
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.config import dictConfig
from typing import Any, Literal

from search_api.faults import where

request_id_of_context: ContextVar[str] = ContextVar("request_id", default="")
"""The id of the request that is being answered; threads that work for it see it too."""

LogFormat = Literal["text", "json"]


class TextFormatter(logging.Formatter):
    """One line for people: time, level, logger, message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def formatException(self, ei: Any) -> str:  # noqa: N802 - logging's name
        """Where it happened, without the exception's message."""
        return where(ei[1])


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
            entry["error"] = where(record.exc_info[1])
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
            "loggers": {"search_api": {"level": level.upper()}},
        }
    )


def report_without_messages(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """An event loop's exception handler. Its own would write the exception's message, and what a task returned."""
    error = context.get("exception")
    logging.getLogger(__name__).error(
        "the event loop met a fault: %s", where(error) if error else "no exception"
    )
