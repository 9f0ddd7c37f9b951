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
    """One page of the list of articles."""

    total: int
    """Number of articles on all pages."""
    articles: tuple[ArticleSummary, ...]
    """The articles of this page, by title."""


@dataclass(frozen=True, slots=True)
class SuggestionList:
    """Completions of a text."""

    suggestions: tuple[Suggestion, ...]
    """The suggestions, best first, each address once."""
    generation: str
    """The id of the index generation that the suggestions were taken from."""
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
    """Milliseconds in all."""


@dataclass(frozen=True, slots=True)
class Health:
    """What is being served."""

    status: Literal["ok", "degraded"]
    """`degraded` while a newer index was published that does not open."""
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
    """Why the service is degraded, and what to do; else null."""


@dataclass(frozen=True, slots=True)
class ArticleChange:
    """What became of one article."""

    id: str
    """The article's id."""
    change: Literal["added", "changed", "unchanged", "removed"]
    """What became of the article in the corpus."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A file or line that could not be read, and why."""

    file: str
    """The file's name as it was sent; within an archive, below the archive's name."""
    line: int | None
    """The line, from 1; null where the file as a whole is meant."""
    reason: str
    """What is wrong, and what to do about it."""


@dataclass(frozen=True, slots=True)
class PassedOver:
    """A file that was not read."""

    file: str
    """The file's name."""
    reason: str
    """Why the file is no article."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What became of the articles, in numbers."""

    added: int
    """New articles."""
    changed: int
    """Articles that replaced others of the same id."""
    removed: int
    """Articles taken out."""
    skipped: int
    """Articles that were there already with the same content, and files that were not read."""
    failed: int
    """Articles and files that could not be read."""


@dataclass(frozen=True, slots=True)
class Report:
    """What became of a task's articles. The summary of a rebuild counts all articles of the corpus."""

    articles: tuple[ArticleChange, ...]
    """Each article, the first 1,000 of them."""
    left_out: int
    """Number of articles beyond those in `articles`."""
    failures: tuple[Failure, ...]
    """Everything that failed, with its reason."""
    passed_over: tuple[PassedOver, ...]
    """Files that were not read."""
    summary: Summary
    """The same in numbers."""
    generation: str | None = None
    """The id of the index generation that holds the articles; null until there is one."""
    note: str | None = None
    """A remark on the outcome; mostly null."""


@dataclass(frozen=True, slots=True)
class TaskView:
    """Work that was accepted, as it stands."""

    id: str
    """The task's id."""
    kind: TaskKind
    """What the task does."""
    state: TaskState
    """`queued`: being put into the corpus. `accepted`: in the corpus, and coming into the index. `done`: questions find
    it. `failed`: the index does not have it, and `error` says why."""
    article_id: str | None
    """The one article that the task is about; else null."""
    created: str
    """When the task was received, ISO 8601 in UTC."""
    ended: str | None
    """When the task ended; null until then."""
    stage: str
    """The step that runs now; empty while the task waits."""
    steps_done: int
    """Number of steps of that stage that are done."""
    steps_total: int | None
    """Number of steps of that stage; null where it is not known yet."""
    report: Report | None
    """What became of the articles; null until that is known."""
    error: str | None
    """Why the task failed; null where it did not."""

    @property
    def has_ended(self) -> bool:
        """Whether nothing more will become of it."""
        return self.ended is not None


@dataclass(frozen=True, slots=True)
class TaskList:
    """The latest tasks."""

    tasks: tuple[TaskView, ...]
    """The latest first, without their reports."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much an index holds."""

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
    """Ids of the articles that a build would change."""

    added: tuple[str, ...]
    """Articles that the index lacks."""
    changed: tuple[str, ...]
    """Articles with other content in the index."""
    removed: tuple[str, ...]
    """Articles that only the index still has."""
    moved: tuple[str, ...] = ()
    """Articles with another id now."""


@dataclass(frozen=True, slots=True)
class Changes:
    """How many articles a build met. Those that are not `added`, `changed` or `removed` were skipped."""

    added: int
    """New articles."""
    changed: int
    """Articles with new content."""
    removed: int
    """Articles that were gone."""
    unchanged: int
    """Articles that the index had already."""
    hidden: int
    """Articles removed from a read-only corpus."""
    failed: int
    """Articles that could not be read."""
    moved: int = 0
    """Articles with a new id; the other numbers leave them out."""
    waiting: int = 0
    """Articles outside their dates `publish` and `expires`."""


@dataclass(frozen=True, slots=True)
class TaskCounts:
    """Number of tasks in each state."""

    queued: int
    """Tasks being put into the corpus."""
    accepted: int
    """Tasks in the corpus, and not yet in the index."""
    done: int
    """Tasks that are done. A task can be read for seven days after it has ended."""
    failed: int
    """Tasks that failed."""


@dataclass(frozen=True, slots=True)
class IndexStatus:
    """The state of the index, as `kb status --json` prints it, and the tasks."""

    generation: str
    """The live generation, or the newest that verifies."""
    created: str
    """When that generation was built, ISO 8601 in UTC."""
    model: str
    """The embedding model of that generation."""
    counts: Size
    """How much that generation holds."""
    corpora: tuple[str, ...]
    """The corpora that it was built from, in order."""
    pinned: bool
    """Whether a rollback made it live."""
    damage: str | None
    """Why the live generation does not open; null where it does."""
    rebuild: bool
    """Whether a build would start from scratch: another model or program version."""
    stale: Stale
    """Changes in the corpus that the index does not have yet."""
    words: tuple[str, ...]
    """Vocabulary files that a build would read."""
    unreadable: tuple[str, ...]
    """What in the corpus cannot be read, and why."""
    last_build: Changes
    """What the last build did."""
    last_failures: tuple[str, ...]
    """What the last build could not read."""
    kept: tuple[str, ...]
    """Ids of the generations on disk."""
    bytes: int
    """Size of these generations on disk in bytes."""
    cache_bytes: int
    """Size of the cache in bytes."""
    writer: str | None
    """The process that is building now; null where there is none."""
    tasks: TaskCounts
    """The tasks of the service."""
    corpus_unreadable: str | None = None
    """Why a whole corpus cannot be read; `stale` is then unknown. Null where each can."""
