"""Given work that was accepted, a record of it that outlives the service: one SQLite file, and what came with each.

    index/tasks/
      tasks.sqlite      one row a task; a row that is committed survives a power cut
      received/<id>/    the files that came with a task, on disk before its row is; gone once the corpus has them
      worker.lock       held by the one process that works (`indexer/worker.py`)

Whoever accepts work writes the row; one worker takes the rows in their order. A task is

    queued      received, and on disk here
    accepted    what it brought is in the corpus, and comes into the index
    done        the index has it; `report` says what became of each article
    failed      `error` says why; nothing, or not all of it, was done
"""

from __future__ import annotations

import fcntl
import json
import os
import re
import secrets
import shutil
import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from kb.answers import TaskKind, TaskState
from kb.durable import fsync, make_folder
from kb.errors import KbError

FOLDER = "tasks"
KEPT = timedelta(days=7)
"""How long a task can be read after it has ended."""
KEPT_AT_MOST = 1000
"""How many ended tasks are kept, the latest."""
_ABANDONED = timedelta(days=1)

Kind = TaskKind
State = TaskState
Refusal = Literal["missing", "precondition", "invalid", "unwritable"]
STATES: tuple[State, ...] = get_args(State)
ENDED = ("done", "failed")

TASK_ID = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{16}")

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    subject TEXT NOT NULL,
    wanted TEXT NOT NULL,
    owner TEXT NOT NULL,
    idempotency_key TEXT,
    fingerprint TEXT NOT NULL,
    created TEXT NOT NULL,
    ended TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    stage TEXT NOT NULL DEFAULT '',
    steps_done INTEGER NOT NULL DEFAULT 0,
    steps_total INTEGER,
    report TEXT,
    refusal TEXT,
    error TEXT,
    version INTEGER NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX IF NOT EXISTS tasks_by_key ON tasks (owner, idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX IF NOT EXISTS tasks_by_state ON tasks (state, number);
"""
_WAITS = "state IN ('queued', 'accepted')"
_COLUMNS = (
    "id, kind, state, subject, wanted, fingerprint, created, ended, attempts, stage, steps_done, steps_total, "
    "report, refusal, error, version"
)


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work as it stands.

    `subject` is the id of the article that it is about, or empty. `wanted` is what was asked for, in the terms of its
    kind; `fingerprint` tells it from other work. `stage`, `steps_done` and `steps_total` say how far it is. `report`
    is what became of it so far, None until the corpus has what it brought. Where it failed, `error` says why in words,
    and `refusal` of what kind the reason is where it lies with who asked, or in a corpus that cannot be written.
    `version` grows with each change. Times are ISO 8601 in UTC.
    """

    id: str
    kind: Kind
    state: State
    subject: str
    wanted: dict[str, Any]
    fingerprint: str
    created: str
    ended: str | None
    attempts: int
    stage: str
    steps_done: int
    steps_total: int | None
    report: dict[str, Any] | None
    refusal: Refusal | None
    error: str | None
    version: int

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.state in ENDED


def new_task_id() -> str:
    """An id that sorts by time and cannot be guessed."""
    return f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(8)}"


class TasksFull(KbError):
    """So many tasks wait that no more are taken."""

    def __init__(self, most: int) -> None:
        super().__init__(
            f"{most:,} tasks wait to be worked at, and no more may: send this again once some of them are done."
        )


class TaskStore:
    """The tasks of one index. Safe to share between threads; several processes may have it open.

    Making one creates the folder. Methods raise sqlite3.Error or OSError where the disk fails.
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
        # Together: readers are not stopped by a writer, and a commit is on disk when it returns.
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.executescript(_SCHEMA)
        fsync(self.folder)

    def close(self) -> None:
        """Close the file. Methods fail afterwards."""
        with self._lock:
            self._connection.close()

    def received(self, task_id: str) -> Path:
        """The folder of what came with a task, whether it is there or not."""
        return self.folder / "received" / task_id

    def add(
        self,
        task_id: str,
        kind: Kind,
        wanted: dict[str, Any],
        *,
        subject: str = "",
        owner: str = "",
        idempotency_key: str | None = None,
        fingerprint: str = "",
        most: int | None = None,
    ) -> tuple[Task, bool]:
        """Keep a task, for good once this returns; it, and whether it is a new one.

        It is not where this owner gave that idempotency key before: then it is the task of that time, whatever was
        wanted. The files that came with it must be on disk in `received(task_id)`. Raises TasksFull where a new one
        would be more than `most` that wait.
        """
        now = _now()
        with self._transaction() as connection:
            self._check_room(connection, owner, idempotency_key, most)
            cursor = connection.execute(
                "INSERT INTO tasks (id, kind, state, subject, wanted, owner, idempotency_key, fingerprint, created) "
                "VALUES (?, ?, 'queued', ?, ?, ?, ?, ?, ?) ON CONFLICT (owner, idempotency_key) "
                "WHERE idempotency_key IS NOT NULL DO NOTHING",
                (
                    *(task_id, kind, subject, json.dumps(wanted), owner),
                    *(idempotency_key, fingerprint, now),
                ),
            )
            is_new = cursor.rowcount == 1
            condition = "id = ?" if is_new else "owner = ? AND idempotency_key = ?"
            values = (task_id,) if is_new else (owner, idempotency_key)
            (row,) = connection.execute(
                f"SELECT {_COLUMNS} FROM tasks WHERE {condition}",  # noqa: S608
                values,
            ).fetchall()
        return _task(row), is_new

    def check_room(self, owner: str, idempotency_key: str | None, most: int) -> None:
        """Raise TasksFull where `add` would."""
        with self._lock:
            self._check_room(self._connection, owner, idempotency_key, most)

    def _check_room(
        self,
        connection: sqlite3.Connection,
        owner: str,
        idempotency_key: str | None,
        most: int | None,
    ) -> None:
        if most is None:
            return
        waiting, is_known = connection.execute(
            f"SELECT (SELECT COUNT(*) FROM tasks WHERE {_WAITS}), EXISTS "  # noqa: S608
            "(SELECT 1 FROM tasks WHERE owner = ? AND idempotency_key = ?)",
            (owner, idempotency_key),
        ).fetchone()
        if waiting >= most and not is_known:
            raise TasksFull(most)

    def get(self, task_id: str) -> Task | None:
        """The task of that id, or None."""
        return next(iter(self._select("id = ?", (task_id,))), None)

    def latest(self, limit: int) -> list[Task]:
        """So many tasks, the latest first."""
        return self._select("1 ORDER BY number DESC LIMIT ?", (limit,))

    def in_state(self, state: State) -> list[Task]:
        """All tasks in that state, the oldest first."""
        return self._select("state = ? ORDER BY number", (state,))

    def next_queued(self) -> Task | None:
        """The oldest task that nobody has begun to work at, or had not ended."""
        return next(iter(self._select("state = 'queued' ORDER BY number LIMIT 1", ())), None)

    def counts(self) -> dict[State, int]:
        """How many tasks are in each state."""
        with self._lock:
            found = dict(
                map(
                    tuple,
                    self._connection.execute("SELECT state, COUNT(*) FROM tasks GROUP BY state"),
                )
            )
        return {state: found.get(state, 0) for state in STATES}

    def has_work(self) -> bool:
        """Whether a task has not ended."""
        with self._lock:
            found = self._connection.execute(
                f"SELECT EXISTS (SELECT 1 FROM tasks WHERE {_WAITS})"  # noqa: S608
            ).fetchone()
        return bool(found[0])

    def begin(self, task_ids: Sequence[str]) -> None:
        """Count one more attempt at each."""
        self._update(task_ids, "attempts = attempts + 1")

    def progress(
        self,
        task_ids: Sequence[str],
        stage: str,
        steps_done: int = 0,
        steps_total: int | None = None,
    ) -> None:
        """Say how far each is."""
        self._update(
            task_ids,
            "stage = ?, steps_done = ?, steps_total = ?",
            (stage, steps_done, steps_total),
        )

    def accept(self, task_id: str, report: dict[str, Any]) -> None:
        """The corpus has what the task brought. The attempts at the index are counted anew."""
        self._update(
            [task_id],
            "state = 'accepted', report = ?, attempts = 0, stage = '', steps_done = 0, steps_total = NULL",
            (json.dumps(report),),
        )

    def finish(
        self,
        task_id: str,
        *,
        report: dict[str, Any] | None = None,
        error: str | None = None,
        refusal: Refusal | None = None,
    ) -> None:
        """The task has ended: done, or failed where there is an error. Without a `report` the last one stays.

        One that failed by no fault of who asked, and changed nothing, lets its idempotency key go: the same can be sent
        again under it.
        """
        is_fault = error is not None and refusal in (None, "unwritable")
        self._update(
            [task_id],
            "state = ?, ended = ?, report = COALESCE(?, report), error = ?, refusal = ?, stage = '', "
            "idempotency_key = CASE WHEN ? AND report IS NULL THEN NULL ELSE idempotency_key END",
            (
                "failed" if error is not None else "done",
                _now(),
                None if report is None else json.dumps(report),
                error,
                refusal,
                is_fault,
            ),
        )

    def discard(self, task_id: str) -> None:
        """Delete what came with a task."""
        shutil.rmtree(self.received(task_id), ignore_errors=True)

    def sweep(self) -> None:
        """Delete the tasks that ended too long ago, and files that no task waits for. For the worker alone."""
        before = (datetime.now(UTC) - KEPT).isoformat(timespec="seconds")
        with self._transaction() as connection:
            connection.execute(
                "DELETE FROM tasks WHERE state IN ('done', 'failed') AND (ended < ? OR number NOT IN "
                "(SELECT number FROM tasks WHERE state IN ('done', 'failed') ORDER BY number DESC LIMIT ?))",
                (before, KEPT_AT_MOST),
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
        """Be the one worker of these tasks; False where another is."""
        handle = os.open(self.folder / "worker.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield _locked(handle, fcntl.LOCK_EX)
        finally:
            os.close(handle)

    def is_worked_at(self) -> bool:
        """Whether some process is the worker now."""
        try:
            handle = os.open(self.folder / "worker.lock", os.O_RDONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return False
        try:
            return not _locked(handle, fcntl.LOCK_SH)
        finally:
            os.close(handle)

    def _select(self, condition: str, values: tuple[Any, ...]) -> list[Task]:
        with self._lock:
            rows = self._connection.execute(
                f"SELECT {_COLUMNS} FROM tasks WHERE {condition}",  # noqa: S608 (ours, as are all changes)
                values,
            ).fetchall()
        return [_task(row) for row in rows]

    def _update(self, task_ids: Sequence[str], change: str, values: tuple[Any, ...] = ()) -> None:
        with self._transaction() as connection:
            connection.executemany(
                f"UPDATE tasks SET {change}, version = version + 1 WHERE id = ?",  # noqa: S608
                [(*values, task_id) for task_id in task_ids],
            )

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")


def _locked(handle: int, kind: int) -> bool:
    try:
        fcntl.flock(handle, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _task(row: sqlite3.Row) -> Task:
    values = dict(row)
    values["wanted"] = json.loads(values["wanted"])
    values["report"] = json.loads(values["report"]) if values["report"] else None
    return Task(**values)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
