"""Reads the articles of one file with the reader of its form (`indexer.readers.forms`)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from indexer.corpus.files import Place
from indexer.readers.detection import foreign_form_of_bytes, foreign_form_of_file
from indexer.readers.forms import PLAIN_TEXT, reader_form
from kb.schema.article import Article
from kb.schema.errors import ArticleError

FILE_MAX_BYTES = 64 * 1024 * 1024
"""Maximum size in bytes of a file that holds one article. Collections are read line by line and have no limit."""


def read_file(path: Path) -> Iterator[tuple[int | None, Article | ArticleError]]:
    """The articles of one file, each with its line, if it has one.

    An article that cannot be read is an ArticleError in its place; nothing is raised.
    """
    return ((line, item) for line, item, _ in read_stating(path))


def read_stating(path: Path) -> Iterator[tuple[int | None, Article | ArticleError, bool]]:
    """The same as `read_file`, and whether each article states its id."""
    form = reader_form(path.name)
    if form is not None and form.read_collection is not None:
        foreign = foreign_form_of_file(path)
        if foreign is None:
            for line, item in form.read_collection(path):
                yield line, item, True
        else:
            yield None, ArticleError(path, foreign.reason), True
        return
    try:
        article, stated = parse_stating(path, read_bytes(path))
        yield None, article, stated
    except ArticleError as error:
        yield None, error, False


def article_at(path: Path, line: int | None) -> Article | None:
    """The article at that line of a file, or the only one if `line` is None. None if it cannot be read."""
    for at, item in read_file(path):
        if at == line and isinstance(item, Article):
            return item
    return None


def parse_stating(path: Path, content: bytes) -> tuple[Article, bool]:
    """Parse a file of one article. Returns the article, and whether it states its id.

    An article that states no id gets the stem of `path`. A name of unknown form is read as plain text. Raises
    ArticleError.
    """
    refuse_foreign_form(path, content)
    form = reader_form(path.name)
    read = (form.read if form else None) or PLAIN_TEXT.read
    assert read is not None
    return read(path, content)


def refuse_foreign_form(path: Path, content: bytes) -> None:
    """Raise ArticleError if the content has another form than the name says, such as HTML named *.txt."""
    form = foreign_form_of_bytes(path.name, content)
    if form is not None:
        raise ArticleError(path, form.reason)


def read_bytes(path: Path) -> bytes:
    """The bytes of a file of one article. Raises ArticleError if it is unreadable or too large."""
    try:
        if path.stat().st_size > FILE_MAX_BYTES:
            limit = FILE_MAX_BYTES >> 20
            raise ArticleError(path, f"is larger than {limit} MiB: split it, or make it JSONL")
        return path.read_bytes()
    except OSError as error:
        raise ArticleError(path, f"cannot be read: {error.strerror or error}") from None


def duplicate_id(article_id: str, place: Place, first: Place) -> ArticleError:
    """The failure of an article whose id belongs to the article at `first`."""
    reason = f'the id "{article_id}" is already that of {first}, which stays: give one another id'
    return ArticleError(place.path, reason, place.line)
