"""Progress of work, written to the rows of its tasks."""

from __future__ import annotations

import logging
import time

from indexer.corpus.progress import Progress
from kb.tasks.store import TaskStore

logger = logging.getLogger(__name__)

_SAY_AGAIN_S = 0.25


class TaskProgress(Progress):
    """Tells the tasks how far they are, a few times a second."""

    def __init__(self, store: TaskStore, task_ids: list[str]) -> None:
        self._store = store
        self._task_ids = task_ids
        self._name = ""
        self._total: int | None = None
        self._done = 0
        self._said = 0.0

    def stage(self, name: str, total: int | None = None) -> None:
        self._name, self._total, self._done = name, total, 0
        self._say()

    def advance(self, steps: int = 1) -> None:
        self._done += steps
        if time.monotonic() - self._said >= _SAY_AGAIN_S:
            self._say()

    def note(self, message: str) -> None:
        logger.info(message)

    def _say(self) -> None:
        self._said = time.monotonic()
        self._store.progress(self._task_ids, self._name, self._done, self._total)
