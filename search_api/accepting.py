"""Given work that came in, the task made of it, and the answer once the corpus has it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from kb.errors import InvalidRequest, NotFound
from kb.tasks import Kind, Task, TaskStore
from search_api.access import bearer
from search_api.etags import etag
from search_api.problems import problem
from search_api.receiving import Received, idempotency_key, make_durable
from search_api.task_view import as_json
from search_api.worker import TaskWorker

TASKS_PATH = "/api/v1/tasks"

UNATTENDED_S = 30.0
"""So long may there be nobody who works at the tasks before a client is told."""
_LOOK_AGAIN_S = 0.03
_REUSED = (
    "This Idempotency-Key was sent with other work before: take a new one for each piece of work."
)


def task_worker(request: Request) -> TaskWorker:
    """The tasks of this application and who works at them."""
    worker: TaskWorker = request.app.state.worker
    return worker


async def task_store(request: Request) -> TaskStore:
    """The tasks of this application."""
    return await run_in_threadpool(task_worker(request).store)


async def task_store_with_room(request: Request) -> TaskStore:
    """The same, asked before a body is kept for one more task. Raises TasksFull, InvalidRequest."""
    store = await task_store(request)
    key, most = idempotency_key(request), request.app.state.settings.max_tasks
    await run_in_threadpool(store.check_room, bearer(request).id, key, most)
    return store


async def accept(
    request: Request,
    store: TaskStore,
    kind: Kind,
    received: Received,
    wanted: Mapping[str, Any],
    subject: str = "",
) -> Response:
    """Keep the work as a task, wait until the corpus has it, and answer: 202, or why not.

    The same work under the same idempotency key is the same task. Raises InvalidRequest, NotFound, TasksFull.
    """
    key = idempotency_key(request)
    fingerprint = received.fingerprint(kind, subject, dict(wanted))
    await run_in_threadpool(make_durable, received)

    def add() -> Task:
        task, received.is_task = store.add(
            received.task_id,
            kind,
            dict(wanted),
            subject=subject,
            owner=bearer(request).id,
            idempotency_key=key,
            fingerprint=fingerprint,
            most=request.app.state.settings.max_tasks,
        )
        return task

    # Marked by the thread that adds it: where the service is stopped here, the task is kept and so must its files be.
    task = await run_in_threadpool(add)
    if task.fingerprint != fingerprint:
        raise InvalidRequest("Idempotency-Key", _REUSED)
    task_worker(request).call()
    task = await _taken_up(store, task)
    await answered_by(request, task)
    return _answer(request, task, is_new=received.is_task)


async def answered_by(request: Request, *tasks: Task) -> None:
    """See to it, before a client is told that a task is done, that this process answers from the index that has it.

    Else whoever reads what they have just changed would find the state before, until the index is next looked at.
    """
    if any(task.state == "done" for task in tasks):
        await run_in_threadpool(request.app.state.live.look)


async def _taken_up(store: TaskStore, task: Task) -> Task:
    """The task once the corpus has what it brought; still queued where nobody works."""
    attended = time.monotonic()
    while task.state == "queued" and time.monotonic() - attended < UNATTENDED_S:
        await asyncio.sleep(_LOOK_AGAIN_S)
        found = await run_in_threadpool(store.get, task.id)
        task = found or task
        if await run_in_threadpool(store.is_worked_at):
            attended = time.monotonic()
    return task


def _answer(request: Request, task: Task, *, is_new: bool) -> Response:
    headers = {"Location": f"{request.app.state.settings.base_url}{TASKS_PATH}/{task.id}"}
    if not is_new:
        headers["Idempotency-Replayed"] = "true"
    if task.refusal == "invalid":
        raise InvalidRequest("body", str(task.error))
    if task.refusal == "missing":
        raise NotFound(str(task.error))
    if task.refusal == "precondition":
        return problem(request, 412, task.error)
    if task.refusal == "unwritable":
        return problem(request, 507, task.error)
    if task.state == "failed" and task.report is None:
        return problem(request, 500, task.error)
    if task.state == "queued":
        detail = "The task is kept, but no worker has taken it up yet: its log says why."
        return problem(request, 504, detail, headers={**headers, "Retry-After": "30"})
    digest = (task.report or {}).get("digest")
    if digest:
        headers["ETag"] = etag(digest)
    return Response(as_json(task), 202, headers=headers, media_type="application/json")
