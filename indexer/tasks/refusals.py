"""Why a change is not made, as the reply that says so."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from indexer.corpus.editing import PreconditionFailed
from indexer.tasks.reports import MAX_LISTED_ARTICLES, failure_text, failures_of
from kb.schema.errors import ArticleError, InvalidRequest, KbError
from kb.tasks.messages import RefusalKind, TaskRefused

_WITHOUT_SUBJECT = ("is ", "has ", "holds ", "cannot ")
"""Beginnings of reasons that are worded to follow a file's name."""

_MAX_NAMED = 3
"""Maximum number of unreadable files that a refusal names."""


class Refused(Exception):
    """The change is not made; `reply` says why."""

    def __init__(
        self, reason: RefusalKind, detail: str, failures: Sequence[ArticleError] = ()
    ) -> None:
        self.reply = TaskRefused(reason, detail, failures_of(failures))


@contextmanager
def as_refusals() -> Iterator[None]:
    """Turn an error of the request or of the disk into a refusal."""
    try:
        yield
    except PreconditionFailed as error:
        raise Refused("precondition", str(error)) from None
    except ArticleError as error:
        detail = f"The article cannot be taken: {_as_clause(error.reason)}."
        raise Refused("invalid", detail) from None
    except InvalidRequest as error:
        raise Refused("invalid", str(error)) from None
    except (KbError, OSError, sqlite3.Error) as error:
        raise Refused("unwritable", failure_text(error)) from None


def no_article_in(failures: list[ArticleError], passed_over: list[tuple[str, str]]) -> Refused:
    """The refusal of files in which there was not one article."""
    named = [f"{error.path}: {error.reason}" for error in failures]
    named += [f"{name}: {reason}" for name, reason in passed_over]
    rest = f"; and {len(named) - _MAX_NAMED:,} more" if len(named) > _MAX_NAMED else ""
    why = (
        f"nothing of it could be read. {'; '.join(named[:_MAX_NAMED])}{rest}"
        if named
        else "it is empty"
    )
    return Refused("invalid", f"No article was taken in: {why}.", failures[:MAX_LISTED_ARTICLES])


def _as_clause(reason: str) -> str:
    """An ArticleError's reason, which may be worded to follow a file's name, with a subject of its own."""
    return f"it {reason}" if reason.startswith(_WITHOUT_SUBJECT) else reason
