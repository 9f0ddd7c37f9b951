"""The tables of the tasks' SQLite file, and the steps from an earlier version of them to today's."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kb.tasks.messages import (
    BulkRequest,
    ChangeRequest,
    DeleteRequest,
    PutRequest,
    RebuildRequest,
    SentFile,
    request_as_json,
)

_SCHEMA_VERSION = 2
_SCHEMA = (
    """CREATE TABLE IF NOT EXISTS tasks (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    kind TEXT NOT NULL,
    state TEXT NOT NULL,
    subject TEXT NOT NULL,
    request TEXT NOT NULL,
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
    digest TEXT,
    error TEXT,
    version INTEGER NOT NULL DEFAULT 0
)""",
    "CREATE UNIQUE INDEX IF NOT EXISTS tasks_by_key ON tasks (owner, idempotency_key) "
    "WHERE idempotency_key IS NOT NULL",
    "CREATE INDEX IF NOT EXISTS tasks_by_state ON tasks (state, number)",
)
# In version 1, a refused change was a failed task. Tasks that nobody had begun are kept.
_FROM_FIRST_VERSION = (
    "DELETE FROM tasks WHERE refusal IS NOT NULL",
    "ALTER TABLE tasks RENAME COLUMN wanted TO request",
    "ALTER TABLE tasks ADD COLUMN digest TEXT",
    "UPDATE tasks SET request = '' WHERE state <> 'queued'",
)


def make_tables(connection: sqlite3.Connection, received: Callable[[str], Path]) -> None:
    """Bring the tables to today's version, within the caller's transaction.

    `received` gives the folder of the files that came with a task.
    """
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if version == _SCHEMA_VERSION:
        return
    columns = {row["name"] for row in connection.execute("PRAGMA table_info(tasks)")}
    changes = _FROM_FIRST_VERSION if "wanted" in columns else ()
    for statement in (*changes, *_SCHEMA, f"PRAGMA user_version = {_SCHEMA_VERSION}"):
        connection.execute(statement)
    if changes:
        _rewrite_queued(connection, received)


def _rewrite_queued(connection: sqlite3.Connection, received: Callable[[str], Path]) -> None:
    """Rewrite the requests of queued tasks in today's form: a client was told that they are kept."""
    rows = connection.execute("SELECT id, kind, request FROM tasks WHERE state = 'queued'")
    for task_id, kind, wanted in rows.fetchall():
        request = _request_of_first_version(kind, json.loads(wanted), received(task_id))
        connection.execute(
            "UPDATE tasks SET request = ? WHERE id = ?", (request_as_json(request), task_id)
        )


def _request_of_first_version(kind: str, wanted: dict[str, Any], received: Path) -> ChangeRequest:
    def sent(number: int, name: str) -> SentFile:
        path = received / str(number)
        content = path.read_bytes() if path.exists() else b""
        return SentFile(name, hashlib.sha256(content).hexdigest())

    if_match = wanted.get("if_match")
    matching = None if if_match is None else tuple(if_match)
    if kind == "put":
        only_new = bool(wanted.get("if_none_match"))
        return PutRequest(sent(0, "article"), wanted["suffix"], matching, only_new)
    if kind == "delete":
        return DeleteRequest(matching)
    if kind == "rebuild":
        return RebuildRequest()
    limits = wanted["limits"]
    files = tuple(sent(number, name) for number, name in enumerate(wanted["files"]))
    return BulkRequest(
        files, limits["unpacked_bytes"], limits["files"], "import" if kind == "import" else "upload"
    )
