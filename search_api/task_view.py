"""Given a task, what a client is shown of it."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field

from kb.tasks import Kind, State, Task


class ArticleChange(BaseModel):
    """What became of one article."""

    id: str = Field(description="The article's id.")
    change: Literal["added", "changed", "unchanged", "removed"] = Field(
        description="What became of it in the corpus."
    )


class Failure(BaseModel):
    """What could not be taken in, and why."""

    file: str = Field(description="The file's name as it was sent; within an archive, below it.")
    line: int | None = Field(description="Its line, counted from 1, where it has one; else null.")
    reason: str = Field(description="What is wrong, and what to do about it.")


class PassedOver(BaseModel):
    """A file that was not looked at."""

    file: str = Field(description="Its name.")
    reason: str = Field(description="Why it counts for no article.")


class Summary(BaseModel):
    """What became of everything, in numbers."""

    added: int = Field(description="Articles that were not there before.")
    changed: int = Field(description="Articles in place of others of their id.")
    removed: int = Field(description="Articles taken out.")
    skipped: int = Field(description="Articles that were there just so, and files passed over.")
    failed: int = Field(description="Articles and files that could not be read.")


class Report(BaseModel):
    """What became of a task's articles. Of a rebuild, the summary is that of all articles of the corpus."""

    articles: list[ArticleChange] = Field(description="Each article, the first 1,000 of them.")
    left_out: int = Field(description="How many more there are than `articles` names.")
    failures: list[Failure] = Field(description="Everything that failed, with its reason.")
    passed_over: list[PassedOver] = Field(description="Files that were not looked at.")
    summary: Summary = Field(description="The same in numbers.")
    generation: str | None = Field(
        default=None, description="The state of the index that has it; null until there is one."
    )
    note: str | None = Field(default=None, description="What else is to be known; mostly null.")


class TaskView(BaseModel):
    """Work that was accepted, as it stands."""

    id: str = Field(description="Its id.")
    kind: Kind = Field(description="What it does.")
    state: State = Field(
        description="`queued`: received. `accepted`: in the corpus, and coming into the index. `done`: questions find"
        " it. `failed`: `error` says why."
    )
    article_id: str | None = Field(description="The one article it is about; else null.")
    created: str = Field(description="When it was received, ISO 8601 in UTC.")
    ended: str | None = Field(description="When it ended; null until then.")
    stage: str = Field(description="What is being done at the moment; empty while it waits.")
    steps_done: int = Field(description="How many steps of that stage are done.")
    steps_total: int | None = Field(description="Of how many; null where nobody knows yet.")
    report: Report | None = Field(description="What became of it; null until that is known.")
    error: str | None = Field(description="Why it failed; null where it did not.")


class TaskList(BaseModel):
    """The latest tasks."""

    tasks: list[TaskView] = Field(description="The latest first, without their reports.")


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
        report=Report.model_validate(report) if report else None,
        error=task.error,
    )
