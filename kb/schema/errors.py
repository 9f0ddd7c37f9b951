"""Errors of the domain. A message names the wrong value and says what to do next.

The command line turns an error into an exit code, the service turns it into a status.
No message ever contains a question: questions are health data.
"""

from __future__ import annotations

from pathlib import Path


class KbError(Exception):
    """Base class of every error that a user can cause or fix. `str(error)` is the whole message."""


class InvalidRequest(KbError):
    """A value outside what a search, a listing or a setting accepts.

    `field` is the parameter's public name, so that a caller can point at it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(KbError):
    """No article, section or file with that name."""


class ArticleMoved(NotFound):
    """The article has a new id: `to`."""

    def __init__(self, article_id: str, to: str) -> None:
        super().__init__(f"The article {article_id!r} has moved: its id is {to!r} now.")
        self.article_id = article_id
        self.to = to


class ArticleWithdrawn(NotFound):
    """The article was removed for good.

    `on` is the date (YYYY-MM-DD). `because` is the publisher's reason, and `see` the id of the article to read instead;
    both may be empty. `expired` says that the article reached its date of expiry.
    """

    def __init__(
        self,
        article_id: str,
        *,
        title: str = "",
        on: str = "",
        because: str = "",
        see: str = "",
        expired: bool = False,
    ) -> None:
        name = f"“{title}”" if title else repr(article_id)
        what = "expired" if expired else "was withdrawn"
        when = f" on {on}" if on else ""
        reason = f": {because.rstrip('.')}" if because else ""
        instead = f" Read {see!r} instead." if see else ""
        super().__init__(f"The article {name} {what}{when}{reason}.{instead}")
        self.article_id = article_id
        self.title = title
        self.on = on
        self.because = because
        self.see = see
        self.expired = expired


class PassageNotFound(NotFound):
    """The article exists, but has no section with that id, or no passage at that offset."""


class GenerationGone(KbError):
    """A page of results was requested from a generation that does not answer, or no longer does."""


class CorpusError(KbError):
    """The corpus as a whole cannot be read: it is missing, empty, or has no usable article."""


class ArticleError(KbError):
    """One article, or one file of a corpus, cannot be read. Other articles are not affected."""

    def __init__(self, path: Path | str, reason: str, line: int | None = None) -> None:
        # A file's name need not be UTF-8, but printed text and JSON must be.
        self.path = str(path).encode(errors="replace").decode()
        self.line = line
        self.reason = reason.encode(errors="replace").decode()
        place = self.path if line is None else f"{self.path}:{line}"
        super().__init__(f"{place}: {self.reason}")


class ModelError(KbError):
    """An embedding model cannot be loaded, or lacks a part that answering needs."""


class ExtraMissing(KbError):
    """The request needs an extra of the program that is not installed (`kb.schema.extras`)."""


class StorageError(KbError):
    """A path cannot be read or written: mounted read-only, or missing rights (`kb.storage.disk_errors`)."""


class NoRoom(StorageError):
    """A disk has less free space than needed."""


class BuildInProgress(KbError):
    """Another process holds the writer's lock of this index."""


class IndexUnusable(KbError):
    """Base class of errors of an index on disk."""


class IndexMissing(IndexUnusable):
    """There is no index in that folder."""


class IndexDamaged(IndexUnusable):
    """A file of the generation is missing, too short, or differs from the manifest."""


class IndexFormatMismatch(IndexUnusable):
    """The index was written by another version of the format."""


class TuningDamaged(IndexUnusable):
    """The weights stored beside the generations are damaged. Without them the index opens."""


class WorkerMissing(KbError):
    """No worker is running to make the change. The message is for the client."""

    def __init__(
        self,
        detail: str = "No process that changes articles could be started or reached. The log of the service says why.",
    ) -> None:
        super().__init__(f"{detail} Nothing was changed or kept.")
