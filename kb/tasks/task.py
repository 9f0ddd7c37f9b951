"""A task: one change of the articles that was accepted, and how far it is."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, fields
from datetime import UTC, datetime

from kb.schema.errors import KbError
from kb.schema.service import TaskView
from kb.tasks.messages import ChangeRequest

TASK_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{16}")
"""The form of a task's id."""


@dataclass(frozen=True, slots=True)
class Task(TaskView):
    """A task as a client is shown it, and what the worker needs beside that."""

    request: ChangeRequest | None
    """The requested change; None once the corpus has it."""
    fingerprint: str
    """Tells one piece of work from another that was sent under the same idempotency key."""
    attempts: int
    """Number of times that work on the task has begun."""
    digest: str | None
    """The digest of the article that was put; None until the corpus has it, and for other kinds."""
    version: int
    """Grows with each change of the task."""

    @property
    def subject(self) -> str:
        """The id of the article that the task is about, or empty."""
        return self.article_id or ""

    def view(self, *, with_report: bool = True) -> TaskView:
        """The task as a client is shown it."""
        shared = {field.name: getattr(self, field.name) for field in fields(TaskView)}
        return TaskView(**shared if with_report else {**shared, "report": None})


def new_task_id() -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"


class TasksFull(KbError):
    """As many tasks wait as may wait."""

    def __init__(self, limit: int) -> None:
        super().__init__(
            f"{limit:,} tasks wait to be worked at, and no more may: send this again once some of them are done."
        )
