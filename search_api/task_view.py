"""Given a task, what a client is shown of it."""

from __future__ import annotations

from pydantic import TypeAdapter

from kb.answers import Report, TaskView
from kb.tasks import Task

_REPORT = TypeAdapter(Report)
_VIEW = TypeAdapter(TaskView)


def view(task: Task, *, with_report: bool = True) -> TaskView:
    """The task as a client is shown it."""
    report = task.report if with_report else None
    return TaskView(
        id=task.id,
        kind=task.kind,
        state=task.state,
        article_id=task.subject or None,
        created=task.created,
        ended=task.ended,
        stage=task.stage,
        steps_done=task.steps_done,
        steps_total=task.steps_total,
        report=_REPORT.validate_python(report) if report else None,
        error=task.error,
    )


def as_json(task: Task) -> str:
    """The same as JSON."""
    return _VIEW.dump_json(view(task)).decode()
