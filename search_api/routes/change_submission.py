"""Changes sent to the worker: 202 with the task once the corpus has the change, or the reason why not."""

from __future__ import annotations

import hashlib

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from kb.schema.errors import InvalidRequest, NotFound
from kb.tasks.messages import (
    ChangeRequest,
    KeyReused,
    Reply,
    SubmitTask,
    TaskAccepted,
    TaskRefused,
    TooManyTasks,
    WorkerFailed,
    request_as_json,
)
from kb.tasks.store import TaskStore
from kb.tasks.task import Task, TasksFull
from search_api.http.etags import etag
from search_api.http.parts import part
from search_api.http.problems import problem
from search_api.middleware.access import bearer
from search_api.routes.request_files import RequestFiles, idempotency_key
from search_api.routes.task_view import as_json
from search_api.state.live import LiveIndex
from search_api.state.settings import Settings
from search_api.state.worker_client import WorkerClient
from search_api.state.worker_process import WorkerProcess

TASKS_PATH = "/api/v1/tasks"

_REUSED = (
    "This Idempotency-Key was already used for other work: use a new key for each piece of work."
)


async def task_store(request: Request) -> TaskStore:
    """The tasks of this application."""
    return await run_in_threadpool(part(request, WorkerProcess).store)


async def task_store_with_room(request: Request) -> TaskStore:
    """The tasks, checked for room before a body is kept for a new task. Raises TasksFull, InvalidRequest."""
    store = await task_store(request)
    key, limit = idempotency_key(request), part(request, Settings).max_tasks
    await run_in_threadpool(store.check_room, bearer(request).id, key, limit)
    return store


async def submit_change(
    request: Request, received: RequestFiles, change: ChangeRequest, subject: str = ""
) -> Response:
    """Let the worker make the change. Answers 202 once the corpus has it, or the reason why not.

    The same work under the same idempotency key is the same task. Raises InvalidRequest, NotFound, TasksFull,
    WorkerMissing.
    """
    max_tasks = part(request, Settings).max_tasks
    work = f"{subject}\n{request_as_json(change)}"
    submitted = SubmitTask(
        task_id=received.task_id,
        request=change,
        subject=subject,
        owner=bearer(request).id,
        idempotency_key=idempotency_key(request),
        fingerprint=hashlib.sha256(work.encode(errors="surrogatepass")).hexdigest(),
        max_waiting=max_tasks,
    )
    reply = await part(request, WorkerClient).ask(submitted, received.hand_over)
    match reply:
        case TaskAccepted():
            return await _accepted(request, reply)
        case TaskRefused():
            return _refused(request, reply)
        case KeyReused():
            raise InvalidRequest("Idempotency-Key", _REUSED)
        case TooManyTasks():
            raise TasksFull(max_tasks)
        case WorkerFailed():
            return problem(request, 500, reply.detail)
        case _:
            raise unexpected_reply(reply)


async def refresh_if_done(request: Request, *tasks: Task) -> None:
    """Before reporting that a task is done, make this process answer from the index that has it.

    Otherwise a client could read the state from before its own change until the next check of the index.
    """
    if any(task.state == "done" for task in tasks):
        await run_in_threadpool(part(request, LiveIndex).refresh)


def unexpected_reply(reply: Reply) -> RuntimeError:
    """The exception for a reply that does not fit its request."""
    detail = reply.detail if isinstance(reply, WorkerFailed) else "no reply to what was asked"
    return RuntimeError(f"the worker: {type(reply).__name__}, {detail}")


async def _accepted(request: Request, reply: TaskAccepted) -> Response:
    if reply.task.state == "done":
        await run_in_threadpool(part(request, LiveIndex).refresh)
    base_url = part(request, Settings).base_url
    headers = {"Location": f"{base_url}{TASKS_PATH}/{reply.task.id}"}
    if not reply.is_new:
        headers["Idempotency-Replayed"] = "true"
    if reply.digest:
        headers["ETag"] = etag(reply.digest)
    return Response(as_json(reply.task), 202, headers=headers, media_type="application/json")


def _refused(request: Request, reply: TaskRefused) -> Response:
    match reply.reason:
        case "missing":
            raise NotFound(reply.detail)
        case "precondition":
            return problem(request, 412, reply.detail)
        case "unwritable":
            return problem(request, 507, reply.detail)
        case "invalid":
            named = [
                (each.file if each.line is None else f"{each.file}:{each.line}", each.reason)
                for each in reply.failures
            ]
            errors = named or [("body", reply.detail)]
            return problem(request, 422, reply.detail, errors=errors)
