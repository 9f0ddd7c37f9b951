"""What the service answers, apart from searches: lists, tasks, its state.

These are shapes of the HTTP API. Search responses are in kb.schema.results, articles in kb.schema.article.
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
    """One page of the list of articles."""

    total: int
    """Number of articles on all pages."""
    articles: tuple[ArticleSummary, ...]
    """The articles of this page, by title."""


@dataclass(frozen=True, slots=True)
class SuggestionList:
    """Completions of a text."""

    suggestions: tuple[Suggestion, ...]
    """The suggestions, best first. Each address occurs once."""
    generation: str
    """The id of the index generation that the suggestions come from."""
    timings: dict[str, float]
    """Milliseconds by step."""


@dataclass(frozen=True, slots=True)
class BatchResponse:
    """The answers to several searches."""

    answers: tuple[SearchResponse, ...]
    """The answers in the order of the searches."""
    generation: str
    """The id of the index generation that gave all answers."""
    timings: dict[str, float]
    """Milliseconds in total."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is being served."""

    status: Literal["ok", "degraded"]
    """`degraded` if a newer index was published that does not open."""
    generation: str
    """The id of the index generation that answers."""
    created: str
    """When that index was built, ISO 8601 in UTC."""
    model: str
    """The embedding model of that index."""
    articles: int
    """Number of articles."""
    sections: int
    """Number of sections."""
    passages: int
    """Number of passages."""
    reason: str | None
    """Why the service is degraded, and what to do. Otherwise null."""


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """What happened to one article."""

    id: str
    """The article's id."""
    change: Literal["added", "changed", "unchanged", "removed"]
    """What happened to the article in the corpus."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or line that could not be read, and the reason."""

    file: str
    """The file's name as sent. For a file in an archive, the name of the archive comes first."""
    line: int | None
    """The line, from 1. Null if the whole file is meant."""
    reason: str
    """What is wrong, and what to do about it."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that was not read."""

    file: str
    """The file's name."""
    reason: str
    """Why the file is not an article."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What happened to the articles, in numbers."""

    added: int
    """New articles."""
    changed: int
    """Articles that replaced others with the same id."""
    removed: int
    """Removed articles."""
    skipped: int
    """Articles that had the same content already, and files that were not read."""
    failed: int
    """Articles and files that could not be read."""


@dataclass(frozen=True, slots=True)
class Report:
    """What happened to a task's articles. The summary of a rebuild counts all articles of the corpus."""

    articles: tuple[ArticleChange, ...]
    """What happened to each article. At most 1,000 are listed."""
    left_out: int
    """Number of articles beyond those in `articles`."""
    failures: tuple[Failure, ...]
    """Every failure, with its reason."""
    passed_over: tuple[PassedOver, ...]
    """Files that were not read."""
    summary: Summary
    """The outcome in numbers."""
    generation: str | None = None
    """The id of the index generation with the articles. Null until there is one."""
    note: str | None = None
    """A remark on the outcome. Usually null."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """An accepted piece of work and its progress."""

    id: str
    """The task's id."""
    kind: TaskKind
    """What the task does."""
    state: TaskState
    """`queued`: being put into the corpus. `accepted`: in the corpus, not yet in the index. `done`: searches find it.
    `failed`: the index does not have it, and `error` says why."""
    article_id: str | None
    """The article, if the task is about exactly one. Otherwise null."""
    created: str
    """When the task was received, ISO 8601 in UTC."""
    ended: str | None
    """When the task ended. Null until then."""
    stage: str
    """The stage that is running now. Empty while the task waits."""
    steps_done: int
    """Number of completed steps of that stage."""
    steps_total: int | None
    """Number of steps of that stage. Null if it is not known yet."""
    report: Report | None
    """What happened to the articles. Null until that is known."""
    error: str | None
    """Why the task failed. Null if it did not."""

    @property
    def has_ended(self) -> bool:
        """Whether the task is done or has failed."""
        return self.ended is not None


@dataclass(frozen=True, slots=True)
class TaskList:
    """The latest tasks."""

    tasks: tuple[TaskView, ...]
    """The tasks, latest first, without their reports."""


@dataclass(frozen=True, slots=True)
class Size:
    """The size of an index."""

    articles: int
    """Number of articles."""
    sections: int
    """Number of sections."""
    passages: int
    """Number of passages."""
    terms: int
    """Number of different terms (word stems)."""


@dataclass(frozen=True, slots=True)
class Stale:
    """Ids of the articles that the next build would change."""

    added: tuple[str, ...]
    """Articles that the index lacks."""
    changed: tuple[str, ...]
    """Articles whose content in the index is out of date."""
    removed: tuple[str, ...]
    """Articles that are only in the index."""
    moved: tuple[str, ...] = ()
    """Articles whose id has changed."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Number of articles by what a build did with them. All but `added`, `changed` and `removed` were skipped."""

    added: int
    """New articles."""
    changed: int
    """Articles with new content."""
    removed: int
    """Articles that were no longer in the corpus."""
    unchanged: int
    """Articles that the index already had."""
    hidden: int
    """Articles hidden by `kb remove` in a corpus that is not written to."""
    failed: int
    """Articles that could not be read."""
    moved: int = 0
    """Articles with a new id. The other numbers do not include them."""
    waiting: int = 0
    """Articles outside their dates `publish` and `expires`."""


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """Number of tasks in each state."""

    queued: int
    """Tasks being put into the corpus."""
    accepted: int
    """Tasks whose articles are in the corpus, but not yet in the index."""
    done: int
    """Tasks that are done. A task can be read for seven days after its end."""
    failed: int
    """Tasks that failed."""


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The state of the index, as printed by `kb status --json`, and of the tasks."""

    generation: str
    """The live generation, or the newest that verifies."""
    created: str
    """When that generation was built, ISO 8601 in UTC."""
    model: str
    """The embedding model of that generation."""
    counts: Size
    """The size of that generation."""
    corpora: tuple[str, ...]
    """The corpora that it was built from, in order."""
    pinned: bool
    """Whether a rollback made it live."""
    damage: str | None
    """Why the live generation does not open. Null if it does."""
    rebuild: bool
    """Whether a build would start from scratch: another model or program version."""
    stale: Stale
    """Articles that differ between corpus and index."""
    words: tuple[str, ...]
    """Changed files of notices and synonyms."""
    unreadable: tuple[str, ...]
    """Articles and files of the corpus that cannot be read, with the reasons."""
    last_build: Changes
    """What the last build did."""
    last_failures: tuple[str, ...]
    """Articles and files that the last build could not read."""
    kept: tuple[str, ...]
    """Ids of the generations on disk."""
    bytes: int
    """Size of these generations on disk in bytes."""
    cache_bytes: int
    """Size of the cache in bytes."""
    writer: str | None
    """The process that is building now; null if there is none."""
    tasks: TaskCounts
    """The tasks of the service."""
    corpus_unreadable: str | None = None
    """Why a whole corpus cannot be read. `stale` is unknown then. Null if all can be read."""
