"""The optional log of questions, for tuning. Off by default.

Questions are health data. A line holds the hour, the question and what was found, and nothing about who asked: no
address, no request id, no session. The files belong to their owner alone (0600, in a folder of 0700). There is one file
a day (UTC), deleted before any question in it is older than the operator allows.
"""

from __future__ import annotations

import json
import logging
import os
import re
import stat
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from kb.schema.errors import InvalidRequest
from kb.schema.results import SearchResponse

logger = logging.getLogger(__name__)

MAX_LOGGED_RESULTS = 10
"""Maximum number of results logged with a question."""
_NAME = re.compile(r"questions-(\d{4}-\d{2}-\d{2})\.jsonl")


def _now() -> datetime:
    return datetime.now(UTC)


class QueryLog:
    """Appends questions to the files of a folder. Safe to share between threads, and the folder between processes."""

    def __init__(self, folder: Path, days: int, now: Callable[[], datetime] = _now) -> None:
        """`days`, 1 or more, is the maximum age of a question.

        Raises InvalidRequest if the folder cannot be used, or is open to others. Such a folder is left as it is,
        since it may be theirs.
        """
        self._folder = folder
        self._days = days
        self._now = now
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            mode = stat.S_IMODE(folder.stat().st_mode)
        except OSError as error:
            raise _unusable(folder, error.strerror or type(error).__name__) from None
        if mode & 0o077:
            raise _unusable(
                folder,
                f"others may look into it (mode {mode:04o}). Name one that is not there yet, or `chmod 700` it",
            )

    def record(self, response: SearchResponse) -> bool:
        """Log one question. Returns False if it could not be written; the reason is logged without the question."""
        now = self._now()
        found = [
            f"{result.citation.article_id}#{result.citation.section_id}"
            for result in response.results[:MAX_LOGGED_RESULTS]
        ]
        line = {
            "hour": now.strftime("%Y-%m-%dT%HZ"),
            "question": response.question,
            "answered": response.answered,
            "results": found,
            "generation": response.generation,
        }
        data = (json.dumps(line, ensure_ascii=False) + "\n").encode(errors="replace")
        path = self._folder / f"questions-{now:%Y-%m-%d}.jsonl"
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                os.write(descriptor, data)  # one write: lines of several workers do not mix
            finally:
                os.close(descriptor)
        except OSError as error:
            logger.error("a question could not be kept: %s", error.strerror or type(error).__name__)
            return False
        return True

    def prune(self) -> int:
        """Delete the files of days that are past. Returns their number."""
        first_kept = (self._now() - timedelta(days=self._days - 1)).strftime("%Y-%m-%d")
        deleted = 0
        for file in self._folder.iterdir():
            named = _NAME.fullmatch(file.name)
            if named is not None and named[1] < first_kept:
                file.unlink(missing_ok=True)  # another worker may be at it too
                deleted += 1
        return deleted


def _unusable(folder: Path, reason: str) -> InvalidRequest:
    return InvalidRequest(
        "query_log", f"KB_QUERY_LOG is {str(folder)!r}: cannot keep questions there: {reason}."
    )
