"""The tasks of an index: changes that were accepted, in one SQLite file that outlives the service.

    index/tasks/
      tasks.sqlite      one row a task; a row that is committed survives a power cut
      received/<id>/    the files that came with a change, until the corpus has them
      worker.lock       held by the one process that works (`indexer/tasks/worker.py`)
      worker.sock       where it listens (`kb.tasks.worker_socket`)
      starter.lock      held by the one process of a service that keeps a worker running

Only the worker writes. What it refuses leaves no row. A task is

    queued      being put into the corpus; not answered yet, and deleted if it is refused
    accepted    what it brought is in the corpus, and comes into the index
    done        the index has it; `report` says what became of each article
    failed      the corpus has it and the index does not; `error` says why
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

from pydantic import TypeAdapter

from kb.schema.service import Report, TaskState
from kb.storage.durable import changing, fsync, make_folder
from kb.storage.locks import try_lock
from kb.tasks.messages import ChangeRequest, request_as_json, request_from_json
from kb.tasks.schema import make_tables
from kb.tasks.task import Task, TasksFull

FOLDER = "tasks"
TASK_LIFETIME = timedelta(days=7)
"""How long a task can be read after it has ended."""
MAX_ENDED_TASKS = 1000
"""Maximum number of ended tasks; the latest are kept."""
MAX_ATTEMPTS = 5
"""Maximum attempts per task: a task that no process survives must not stop all others for ever."""
_ABANDONED = timedelta(days=1)

_WORKER_LOCK, _STARTER_LOCK = "worker.lock", "starter.lock"

_WAITS = "state IN ('queued', 'accepted')"
_COLUMNS = (
    "id, kind, state, NULLIF(subject, '') AS article_id, request, fingerprint, created, ended, attempts, stage, "
    "steps_done, steps_total, report, digest, error, version"
)
_REPORT: TypeAdapter[Report] = TypeAdapter(Report)


class TaskStore:
    """The tasks of one index. Safe to share between threads and processes.

    Making a store creates its folder. Methods raise sqlite3.Error or OSError if the disk fails.
    """

    def __init__(self, index: Path) -> None:
        self.folder = index / FOLDER
        make_folder(self.folder / "received")
        path = self.folder / "tasks.sqlite"
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(
            path, timeout=30, isolation_level=None, check_same_thread=False
        )
        self._connection.row_factory = sqlite3.Row
        with changing(self.folder):  # SQLite does not wait where two set the mode at once
            # Together: readers are not stopped by a writer, and a commit is on disk when it returns.
            self._connection.execute("PRAGMA journal_mode = WAL")
            self._connection.execute("PRAGMA synchronous = FULL")
            with self.transaction() as connection:
                make_tables(connection, self.received)
        fsync(self.folder)

    def close(self) -> None:
        """Close the file. Methods fail afterwards."""
        with self._lock:
            self._connection.close()

    def received(self, task_id: str) -> Path:
        """The folder for the files of a task. It may not exist."""
        return self.folder / "received" / task_id

    def find(self, task_id: str, owner: str, idempotency_key: str | None) -> Task | None:
        """The task with that id, or else the task to which this owner gave that idempotency key; None if there is
        neither."""
        found = self._select(
            "id = ? OR (owner = ? AND idempotency_key = ?) ORDER BY id <> ?",
            (task_id, owner, idempotency_key, task_id),
        )
        return found[0] if found else None

    def add(
        self,
        task_id: str,
        request: ChangeRequest,
        *,
        subject: str = "",
        owner: str = "",
        idempotency_key: str | None = None,
        fingerprint: str = "",
    ) -> Task:
        """Keep a new task, queued and with its first attempt. It is on disk once this returns."""
        with self.transaction() as connection:
            connection.execute(
                "INSERT INTO tasks (id, kind, state, subject, request, owner, idempotency_key, fingerprint, created, "
                "attempts) VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?, 1)",
                (
                    *(task_id, request.kind, subject, request_as_json(request), owner),
                    *(idempotency_key, fingerprint, _now()),
                ),
            )
        (task,) = self._select("id = ?", (task_id,))
        return task

    def remove(self, task_id: str) -> None:
        """Delete a task as if it had never been."""
        with self.transaction() as connection:
            connection.execute("DELETE FROM tasks WHERE id = ?", (task_id,))

    def check_room(self, owner: str, idempotency_key: str | None, limit: int) -> None:
        """Raise TasksFull if `limit` tasks wait, unless the task of that key is known already."""
        with self._lock:
            waiting, is_known = self._connection.execute(
                f"SELECT (SELECT COUNT(*) FROM tasks WHERE {_WAITS}), EXISTS "  # noqa: S608
                "(SELECT 1 FROM tasks WHERE owner = ? AND idempotency_key = ?)",
                (owner, idempotency_key),
            ).fetchone()
        if waiting >= limit and not is_known:
            raise TasksFull(limit)

    def get(self, task_id: str) -> Task | None:
        """The task with that id, or None."""
        return next(iter(self._select("id = ?", (task_id,))), None)

    def latest(self, limit: int) -> list[Task]:
        """The latest tasks, at most `limit`, the latest first."""
        return self._select("1 ORDER BY number DESC LIMIT ?", (limit,))

    def in_state(self, state: TaskState) -> list[Task]:
        """All tasks in that state, the oldest first."""
        return self._select("state = ? ORDER BY number", (state,))

    def counts(self) -> dict[TaskState, int]:
        """Number of tasks in each state."""
        with self._lock:
            found = dict(
                map(
                    tuple,
                    self._connection.execute("SELECT state, COUNT(*) FROM tasks GROUP BY state"),
                )
            )
        return {state: found.get(state, 0) for state in get_args(TaskState)}

    def has_work(self) -> bool:
        """Whether any task has not ended."""
        with self._lock:
            found = self._connection.execute(
                f"SELECT EXISTS (SELECT 1 FROM tasks WHERE {_WAITS})"  # noqa: S608
            ).fetchone()
        return bool(found[0])

    def begin(self, task_ids: Sequence[str]) -> None:
        """Count one more attempt at each task."""
        self._update(task_ids, "attempts = attempts + 1")

    def progress(
        self,
        task_ids: Sequence[str],
        stage: str,
        steps_done: int = 0,
        steps_total: int | None = None,
    ) -> None:
        """Set the progress of each task. A power cut may undo it: nothing waits for the disk for that."""
        self._update(
            task_ids,
            "stage = ?, steps_done = ?, steps_total = ?",
            (stage, steps_done, steps_total),
            durably=False,
        )

    def accept(self, task_id: str, report: Report, digest: str | None = None) -> Task:
        """Mark a task as accepted: the corpus has its change. Returns the task. Attempts are counted anew for the
        index."""
        self._update(
            [task_id],
            "state = 'accepted', report = ?, digest = ?, attempts = 0, stage = '', steps_done = 0, steps_total = NULL, "
            # What a rebuild may do is asked when it is built; all else the corpus has.
            "request = CASE WHEN kind = 'rebuild' THEN request ELSE '' END",
            (_REPORT.dump_json(report).decode(), digest),
        )
        (task,) = self._select("id = ?", (task_id,))
        return task

    def finish(
        self, task_id: str, *, report: Report | None = None, error: str | None = None
    ) -> None:
        """End a task: done, or failed where there is an error. Without a `report` the last one stays."""
        self._update(
            [task_id],
            "state = ?, ended = ?, report = COALESCE(?, report), error = ?, stage = ''",
            (
                "failed" if error is not None else "done",
                _now(),
                None if report is None else _REPORT.dump_json(report).decode(),
                error,
            ),
        )

    def discard(self, task_id: str) -> None:
        """Delete the files of a task."""
        shutil.rmtree(self.received(task_id), ignore_errors=True)

    def sweep(self, kept: timedelta = TASK_LIFETIME, kept_at_most: int = MAX_ENDED_TASKS) -> None:
        """Delete tasks that ended too long ago, and files that no task waits for. Only the worker may call this."""
        before = (datetime.now(UTC) - kept).isoformat(timespec="seconds")
        with self.transaction() as connection:
            connection.execute(
                "DELETE FROM tasks WHERE state IN ('done', 'failed') AND (ended < ? OR number NOT IN "
                "(SELECT number FROM tasks WHERE state IN ('done', 'failed') ORDER BY number DESC LIMIT ?))",
                (before, kept_at_most),
            )
            waited_for = {
                row["id"]
                for row in connection.execute("SELECT id FROM tasks WHERE state = 'queued'")
            }
        abandoned = (datetime.now(UTC) - _ABANDONED).timestamp()
        for folder in (self.folder / "received").iterdir():
            # One whose task is not there may be coming in at this moment.
            with suppress(FileNotFoundError):
                if folder.name not in waited_for and folder.stat().st_mtime < abandoned:
                    shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def working(self) -> Iterator[bool]:
        """Hold the lock of the one worker of these tasks. Gives False if another process holds it."""
        handle = self._try_lock(_WORKER_LOCK)
        try:
            yield handle is not None
        finally:
            if handle is not None:
                os.close(handle)

    def is_worked_at(self) -> bool:
        """Whether any process is the worker now."""
        try:
            handle = os.open(self.folder / _WORKER_LOCK, os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not try_lock(handle, shared=True)
        finally:
            os.close(handle)

    def become_starter(self) -> int | None:
        """Take the lock of the process that keeps a worker running. Returns its descriptor, None if another process
        has it."""
        return self._try_lock(_STARTER_LOCK)

    def _try_lock(self, name: str) -> int | None:
        handle = os.open(self.folder / name, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        if try_lock(handle):
            return handle
        os.close(handle)
        return None

    def _select(self, condition: str, values: tuple[Any, ...]) -> list[Task]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM tasks WHERE {condition}",  # noqa: S608 (ours, as are all changes)
                values,
            ).fetchall()
        return [_task(row) for row in rows]

    def _update(
        self,
        task_ids: Sequence[str],
        change: str,
        values: tuple[Any, ...] = (),
        *,
        durably: bool = True,
    ) -> None:
        with self.transaction(durably=durably) as connection:
            connection.executemany(
                f"UPDATE tasks SET {change}, version = version + 1 WHERE id = ?",  # noqa: S608
                [(*values, task_id) for task_id in task_ids],
            )

    @contextmanager
    def transaction(self, *, durably: bool = True) -> Iterator[sqlite3.Connection]:
        """One transaction, which is on disk at its end if `durably`, and is undone where an exception leaves it."""
        with self._lock:
            self._connection.execute(f"PRAGMA synchronous = {'FULL' if durably else 'NORMAL'}")
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _task(row: sqlite3.Row) -> Task:
    values = dict(row)
    values["request"] = request_from_json(values["request"]) if values["request"] else None
    values["report"] = _REPORT.validate_json(values["report"]) if values["report"] else None
    return Task(**values)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
