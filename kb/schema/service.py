"""What the service answers to anything but a search: lists, tasks, its state.

These are the shapes of the HTTP API. Search responses are in kb.schema.results, articles in kb.schema.article.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from kb.schema.article import ArticleSummary
from kb.schema.results import SearchResponse, Suggestion

TaskKind = Literal["put", "delete", "upload", "import", "rebuild"]
TaskState = Literal["queued", "accepted", "done", "failed"]


@dataclass(frozen=True, slots=True)
class ArticleList:
    """One page of the articles by title; `total` counts all there are."""

    total: int
    articles: tuple[ArticleSummary, ...]


@dataclass(frozen=True, slots=True)
class SuggestionList:
    """What a text may become, best first, and the generation whose articles that leads to; `timings` as in a search."""

    suggestions: tuple[Suggestion, ...]
    generation: str
    timings: dict[str, float]


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The answers to several questions in their order, all from one generation."""

    answers: tuple[SearchResponse, ...]
    generation: str
    timings: dict[str, float]


@dataclass(frozen=True, slots=True)
class Health:
    """What a service serves. `degraded`: the newest index does not open and an older one answers; `reason` says why."""

    status: Literal["ok", "degraded"]
    generation: str
    created: str
    model: str
    articles: int
    sections: int
    passages: int
    reason: str | None


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """What became of one article in the corpus."""

    id: str
    change: Literal["added", "changed", "unchanged", "removed"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be taken in, and why: the file as it was sent, and the line where it has one."""

    file: str
    line: int | None
    reason: str


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that was not looked at, and why."""

    file: str
    reason: str


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the articles of a task, in numbers; of a rebuild, those of the whole corpus."""

    added: int
    changed: int
    removed: int
    skipped: int
    failed: int


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a task's articles: the first 1,000 of them, how many more there are, and every failure.

    `generation` is the state of the index that has them, None until there is one.
    """

    articles: tuple[ArticleChange, ...]
    left_out: int
    failures: tuple[Failure, ...]
    passed_over: tuple[PassedOver, ...]
    summary: Summary
    generation: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class TaskView:
    """Work that was accepted, as it stands.

    `queued`: being put into the corpus. `accepted`: in the corpus, and coming into the index. `done`: questions find
    it. `failed`: the index does not have it, and `error` says why. `steps_done` of `steps_total` are done of `stage`.
    Times are ISO 8601 in UTC.
    """

    id: str
    kind: TaskKind
    state: TaskState
    article_id: str | None
    created: str
    ended: str | None
    stage: str
    steps_done: int
    steps_total: int | None
    report: Report | None
    error: str | None

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.ended is not None


@dataclass(frozen=True, slots=True)
class TaskList:
    """The latest tasks first, without their reports."""

    tasks: tuple[TaskView, ...]


@dataclass(frozen=True, slots=True)
class Size:
    """How much an index holds."""

    articles: int
    sections: int
    passages: int
    terms: int


@dataclass(frozen=True, slots=True)
class Stale:
    """What a build would take in: ids of articles that the index lacks, has otherwise, or still has."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    moved: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What a build did with the articles it met."""

    added: int
    changed: int
    removed: int
    unchanged: int
    hidden: int
    failed: int
    moved: int = 0
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """How many tasks are in each state."""

    queued: int
    accepted: int
    done: int
    failed: int


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """How an index stands, as `kb status --json` says it, and the tasks of the service.

    `damage` says why the live generation is not this one, `rebuild` whether a build would begin anew, `writer` who
    is building now; `bytes` is what all kept generations take on disk. Where `corpus_unreadable` says why a corpus as a
    whole cannot be read, nobody knows what is stale.
    """

    generation: str
    created: str
    model: str
    counts: Size
    corpora: tuple[str, ...]
    pinned: bool
    damage: str | None
    rebuild: bool
    stale: Stale
    words: tuple[str, ...]
    unreadable: tuple[str, ...]
    last_build: Changes
    last_failures: tuple[str, ...]
    kept: tuple[str, ...]
    bytes: int
    cache_bytes: int
    writer: str | None
    tasks: TaskCounts
    corpus_unreadable: str | None = None
