"""Errors of the domain. A message names the value and says what to do next.

The domain raises meaning. The command line turns an error into an exit code, the service into a status.
No message ever holds the text of a question: questions are health data.
"""

from __future__ import annotations

from pathlib import Path


class KbError(Exception):
    """The parent of every error that a user can cause or mend. `str(error)` is the whole message."""


class InvalidRequest(KbError):
    """A value outside what a search, a listing or a setting accepts.

    `field` is the parameter's public name, so that a caller can point at it.
    """

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


class NotFound(KbError):
    """No article, section or file of that name."""


class ArticleMoved(NotFound):
    """The article has another id by now: `to`."""

    def __init__(self, article_id: str, to: str) -> None:
        super().__init__(f"The article {article_id!r} has moved: its id is {to!r} now.")
        self.article_id = article_id
        self.to = to


class ArticleWithdrawn(NotFound):
    """The article was taken out for good.

    `on` is the date (YYYY-MM-DD), `because` the publisher's reason and `see` the id of the article to read in its
    place, both empty where none was given. `expired` says that it had a date of expiry.
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
    """The article is there, but no section of that id in it, or no passage at that place."""


class GenerationGone(KbError):
    """A page of results was asked for of a generation that does not answer, or no longer."""


class CorpusError(KbError):
    """The corpus as a whole cannot be read: missing, empty, or with nothing usable in it."""


class ArticleError(KbError):
    """One article, or one file of a corpus, cannot be read. The others are not stopped by it."""

    def __init__(self, path: Path | str, reason: str, line: int | None = None) -> None:
        # A file's name need not be UTF-8; what is printed or sent as JSON must be.
        self.path = str(path).encode(errors="replace").decode()
        self.line = line
        self.reason = reason.encode(errors="replace").decode()
        place = self.path if line is None else f"{self.path}:{line}"
        super().__init__(f"{place}: {self.reason}")


class ModelError(KbError):
    """An embedding model cannot be loaded, or has no part that answering needs."""


class ExtraMissing(KbError):
    """What was asked for needs an extra of the program that is not installed (`kb.schema.extras`)."""


class StorageError(KbError):
    """A place cannot be read or written: mounted read-only, or without the rights (`kb.storage.disk_errors`)."""


class NoRoom(StorageError):
    """A disk has less room than is needed."""


class BuildInProgress(KbError):
    """Another process holds the writer's lock of this index."""


class IndexUnusable(KbError):
    """The parent of what is wrong with an index as it lies on disk."""


class IndexMissing(IndexUnusable):
    """There is no index in that folder."""


class IndexDamaged(IndexUnusable):
    """A file of the generation is missing, short, or not what the manifest says."""


class IndexFormatMismatch(IndexUnusable):
    """The index was written by another version of the format."""


class TuningDamaged(IndexUnusable):
    """The weights stored beside the generations are not what was written. Without them the index opens."""


class WorkerMissing(KbError):
    """Nobody is there to do what was asked for; the message says so to a client."""

    def __init__(
        self,
        detail: str = "No process that changes articles could be started or reached; the log of the service says why.",
    ) -> None:
        super().__init__(f"{detail} Nothing was changed or kept.")
