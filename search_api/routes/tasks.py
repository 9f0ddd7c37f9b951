"""Tasks and their progress; for administrators, a rebuild and the state of the index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from kb.schema.errors import IndexDamaged, IndexFormatMismatch, IndexMissing, IndexUnusable
from kb.schema.service import IndexStatus, TaskList, TaskView
from kb.tasks.messages import IndexProblem, IndexProblemKind, RebuildRequest, StatusReply
from kb.tasks.store import TaskStore
from kb.tasks.task import TASK_ID, Task
from search_api.http.parts import part
from search_api.http.requests import given_once
from search_api.http.whole_number import WholeNumber
from search_api.openapi import examples
from search_api.openapi.document import problem_responses
from search_api.routes.articles import IDEMPOTENCY_KEY, accepted_response
from search_api.routes.change_submission import (
    refresh_if_done,
    submit_change,
    task_store,
    task_store_with_room,
    unexpected_reply,
)
from search_api.routes.request_files import request_files
from search_api.routes.task_view import as_json
from search_api.state.settings import Settings
from search_api.state.worker_client import WorkerClient

EVENT_STREAM = "text/event-stream"

_LOOK_AGAIN_S = 0.2
_HEARTBEAT_S = 15.0
_INDEX_PROBLEMS: dict[IndexProblemKind, type[IndexUnusable]] = {
    "missing": IndexMissing,
    "damaged": IndexDamaged,
    "format": IndexFormatMismatch,
    "unusable": IndexUnusable,
}

_EVENT = {
    "type": "object",
    "description": "One event; `data` is the task as JSON.",
    "required": ["id", "event", "data"],
    "properties": {name: {"type": "string"} for name in ("id", "event", "data")},
}

router = APIRouter()

TaskId = Annotated[
    str, Path(description="The task's id, as in `Location`.", examples=[examples.TASK["id"]])
]


class RebuildQuery(BaseModel):
    """Options of a rebuild."""

    model_config = ConfigDict(extra="forbid")

    replace: Annotated[
        bool,
        Field(
            description="Build even if a corpus of the index is missing or empty, or more than half of the published"
            " articles would be removed."
        ),
    ] = False


class TaskQuery(BaseModel):
    """Length of the list of tasks."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, WholeNumber(1, 100), Field(description="Maximum number of tasks.")] = 20


@router.get(
    "/api/v1/tasks",
    tags=["tasks"],
    operation_id="listTasks",
    summary="List the latest tasks",
    description="The latest tasks of all clients. Refused work is not listed. Tasks that have ended are kept for seven"
    " days, and at most 1,000 of them.",
    response_description="The tasks.",
    responses={**examples.ok(examples.TASK_LIST), **problem_responses(422, 503)},
    dependencies=[given_once(TaskQuery)],
)
async def list_tasks(request: Request, query: Annotated[TaskQuery, Query()]) -> TaskList:
    store = await task_store(request)
    tasks = await run_in_threadpool(store.latest, query.limit)
    await refresh_if_done(request, *tasks)
    return TaskList(tuple(task.view(with_report=False) for task in tasks))


@router.get(
    "/api/v1/tasks/{task_id}",
    tags=["tasks"],
    operation_id="readTask",
    summary="Read a task",
    description="The progress of the task, and at its end what happened to each article.",
    response_description="The task.",
    responses={**examples.ok(examples.TASK), **problem_responses(404, 422, 503)},
)
async def read_task(request: Request, task_id: TaskId) -> TaskView:
    task = await _task(await task_store(request), task_id)
    await refresh_if_done(request, task)
    return task.view()


@router.get(
    "/api/v1/tasks/{task_id}/events",
    tags=["tasks"],
    operation_id="followTask",
    summary="Follow a task",
    description="The task each time it changes, as server-sent events named `task`. The data is the same as when"
    " reading the task. The stream ends with the task. To continue after a broken connection, send the last `id` as"
    " `Last-Event-ID`.",
    response_description="The events.",
    response_class=StreamingResponse,
    responses={
        200: {"content": {EVENT_STREAM: {"schema": _EVENT, "example": examples.TASK_EVENT}}},
        **problem_responses(404, 422, 503),
    },
    openapi_extra={
        "parameters": [
            {
                "name": "Last-Event-ID",
                "in": "header",
                "description": "The id of the last event that was received.",
                "schema": {"type": "string"},
            }
        ]
    },
)
async def follow_task(request: Request, task_id: TaskId) -> Response:
    store = await task_store(request)
    task = await _task(store, task_id)
    known = request.headers.get("last-event-id", "")
    events = _events(
        request, store, task, int(known) if known.isdecimal() and len(known) < 19 else -1
    )
    # nginx would hold the events back until they fill a block.
    return StreamingResponse(events, media_type=EVENT_STREAM, headers={"X-Accel-Buffering": "no"})


async def _events(
    request: Request, store: TaskStore, task: Task | None, known: int
) -> AsyncIterator[str]:
    silent_s = _HEARTBEAT_S  # so that the first event, and the response's head, are sent at once
    while task is not None:
        if task.version != known:
            await refresh_if_done(request, task)
            known, silent_s = task.version, 0.0
            yield f"id: {task.version}\nevent: task\ndata: {as_json(task.view())}\n\n"
        if task.has_ended:
            return
        if silent_s >= _HEARTBEAT_S:  # so that no proxy takes the stream for dead
            silent_s = 0.0
            yield ": \n\n"
        await asyncio.sleep(_LOOK_AGAIN_S)
        silent_s += _LOOK_AGAIN_S
        task = await run_in_threadpool(store.get, task.id)


@router.post(
    "/api/v1/rebuild",
    tags=["operation"],
    operation_id="rebuild",
    summary="Rebuild the index",
    description="Brings the index up to date with the corpus, as `kb build` does. It indexes files that were added by"
    " hand, repairs a damaged index, and ends a rollback. Only new text is embedded. If a corpus of the index is"
    " missing or has no article left, or more than half of the published articles would be removed, the task fails and"
    " changes nothing. `replace` overrides that.",
    status_code=202,
    response_model=TaskView,
    responses={
        **accepted_response("The task that builds."),
        **problem_responses(422, 503, 504, 507),
    },
    openapi_extra={"parameters": [IDEMPOTENCY_KEY]},
)
async def rebuild(request: Request, query: Annotated[RebuildQuery, Query()]) -> Response:
    store = await task_store_with_room(request)
    with request_files(store) as received:
        return await submit_change(request, received, RebuildRequest(replace=query.replace))


@router.get(
    "/api/v1/status",
    tags=["operation"],
    operation_id="indexStatus",
    summary="Report the state of the index",
    description="What is live, which changes of the corpus are not indexed yet, what the last build did, and how many"
    " tasks wait. This reads the whole corpus, so do not poll it.",
    response_description="The state of the index and its tasks.",
    responses={**examples.ok(examples.STATUS), **problem_responses(422, 503, 504)},
)
async def status(request: Request) -> IndexStatus:
    await task_store(request)  # where the worker listens
    reply = await part(request, WorkerClient).ask_status()
    match reply:
        case StatusReply():
            return reply.status
        case IndexProblem():
            raise _INDEX_PROBLEMS[reply.kind](part(request, Settings).index)
        case _:
            raise unexpected_reply(reply)


async def _task(store: TaskStore, task_id: str) -> Task:
    task = None
    if TASK_ID.fullmatch(task_id):
        task = await run_in_threadpool(store.get, task_id)
    if task is None:
        raise HTTPException(
            404, "There is no task with that id. Tasks are kept for a limited time after their end."
        )
    return task
