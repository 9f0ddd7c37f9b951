"""The JSON of a task as a client is shown it."""

from __future__ import annotations

from pydantic import TypeAdapter

from kb.schema.service import TaskView

_VIEW = TypeAdapter(TaskView)


def as_json(task: TaskView) -> str:
    """The task as JSON."""
    return _VIEW.dump_json(task).decode()
