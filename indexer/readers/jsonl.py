"""A reader of `.jsonl` and `.jsonl.gz` collections, which hold one article a line.

`.article.json` holds a single one, over any number of lines.

    {"id": "...", "title": "...", "aliases": ["..."], "url": "...", "source": "...",
     "updated": "2026-01-31", "reviewed": null, "language": "en", "tags": ["..."],
     "related": ["..."],
     "sections": [{"id": "...", "heading": "...", "level": 2, "text": "..."}]}

Needed are `id`, `sections`, and `id` and `text` in each section. `sources` may stand in place of
`source`, in the form that front matter has. Null is the same as leaving a key out, and other keys
pass unread. Ids are kept as given; texts, titles and headings are normalised and otherwise kept
(`indexer.readers.text`), so offsets in a text that is NFC with LF line ends are offsets here.
"""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from io import BufferedIOBase
from pathlib import Path
from typing import Any

from indexer.readers import metadata
from indexer.readers.ids import article_id, section_id
from indexer.readers.metadata import FieldError, kind_of, shown
from indexer.readers.text import normalise
from kb.schema.article import Article, Section
from kb.schema.errors import ArticleError

LINE_MAX_BYTES = 64 * 1024 * 1024
"""Maximum size in bytes of a line, which is in memory as a whole."""

_BOM = b"\xef\xbb\xbf"
_GZIP_MAGIC = b"\x1f\x8b"
_SKIP_BYTES = 1024 * 1024
_LEVEL = 2


def read_article_json(name: Path | str, data: bytes) -> Article:
    """The Article of an `.article.json` file: one object of the form above, over any number of lines.

    Raises ArticleError.
    """
    found = _read_object(name, None, data.removeprefix(_BOM))
    if isinstance(found, ArticleError):
        raise found
    return found


def interchange(article: Article) -> dict[str, Any]:
    """The object that reads back as `article`, but for section ids, which count as given."""
    return {
        "id": article.id,
        "title": article.title,
        "aliases": list(article.aliases),
        "url": article.url,
        "sources": [{"title": source.title, "url": source.url} for source in article.sources],
        "updated": article.updated,
        "reviewed": article.reviewed,
        "publish": article.publish,
        "expires": article.expires,
        "language": article.language,
        "tags": list(article.tags),
        "related": list(article.related),
        "sections": [asdict(section) for section in article.sections],
    }


def article_json(article: Article) -> bytes:
    """The content of an `.article.json` file that reads back as `article`."""
    return json.dumps(interchange(article), ensure_ascii=False, indent=1).encode() + b"\n"


def with_id(data: bytes, article_id: str) -> bytes:
    """The object in `data` with that id where it has none. What is no object stays as it is, for a reader to refuse."""
    try:
        value = json.loads(data.removeprefix(_BOM).decode("utf-8"))
    except (ValueError, RecursionError):
        return data
    if not isinstance(value, dict) or value.get("id") is not None:
        return data
    return json.dumps({**value, "id": article_id}).encode("ascii")


def numbered_jsonl(
    path: Path, line_max_bytes: int = LINE_MAX_BYTES
) -> Iterator[tuple[int, Article | ArticleError]]:
    """The articles of a file in its order, each with its line; in place of each that is not one, an ArticleError.

    One line is in memory at a time, and no line above `line_max_bytes`. Blank lines are skipped.
    Never raises for what is in the file: where it cannot be opened, or its gzip stream is broken,
    an ArticleError naming the file is the last item.
    """
    number = 0
    try:
        with closing(_open(path)) as stream:
            while True:
                line = stream.readline(line_max_bytes + 1)
                if not line:
                    return
                number += 1
                if number == 1:
                    if line.startswith(_GZIP_MAGIC):
                        reason = "is compressed by gzip: give it a name that ends in .jsonl.gz"
                        yield 1, ArticleError(path, reason)
                        return
                    line = line.removeprefix(_BOM)
                if len(line) > line_max_bytes:
                    _skip_line(stream, line, min(line_max_bytes, _SKIP_BYTES))
                    reason = f"the line is longer than {line_max_bytes >> 20} MiB: split it"
                    yield number, ArticleError(path, reason, number)
                elif line.strip():
                    yield number, _read_object(path, number, line)
    except EOFError:
        reason = "the gzip file is cut off after this line: fetch or write it again"
        yield number, ArticleError(path, reason, number or None)
    except (gzip.BadGzipFile, zlib.error) as error:
        reason = f"is not, or not to its end, a gzip file ({error}): fetch or write it again"
        yield number, ArticleError(path, reason, number or None)
    except OSError as error:
        reason = f"cannot be read: {error.strerror or error}"
        yield number, ArticleError(path, reason, number or None)


def _open(path: Path) -> BufferedIOBase:
    if path.name.lower().endswith(".gz"):
        return gzip.open(path, "rb")
    return path.open("rb")


def _skip_line(stream: BufferedIOBase, line: bytes, piece: int) -> None:
    """Read to the end of a line that begins with `line`, at most `piece` bytes at a time."""
    while line and not line.endswith(b"\n"):
        line = stream.readline(piece)


def _read_object(path: Path | str, number: int | None, line: bytes) -> Article | ArticleError:
    """The article of one line, or, where `number` is None, of a file of one article or a body that was sent."""
    try:
        value = json.loads(line.decode("utf-8"))
        if not isinstance(value, dict):
            what = "the content" if number is None else "the line"
            raise FieldError(f"{what} is {kind_of(value)}: write an article as a JSON object")
        return _article(value)
    except json.JSONDecodeError as error:
        reason = (
            f"not JSON, {error.msg} at line {error.lineno}, character {error.colno}: "
            "write the article as one JSON object, over any number of lines"
            if number is None
            else f"not JSON, {error.msg} at character {error.pos + 1}: write one object a line"
        )
    except UnicodeDecodeError as error:
        reason = f"byte 0x{line[error.start]:02X} at offset {error.start}" + (
            " is not UTF-8: write it as UTF-8"
            if number is None
            else " of the line is not UTF-8: save the file as UTF-8"
        )
    except FieldError as error:
        reason = str(error)
    except RecursionError:
        reason = "nested too deeply: write one article as described in the documentation"
    except ValueError as error:  # a number of thousands of digits, say
        reason = f"not JSON that can be read: {error}"
    return ArticleError(path, reason, number)


def _article(value: dict[str, Any]) -> Article:
    if value.get("id") is None:
        raise FieldError('the article has no "id": add one')
    found_id = article_id(value["id"])
    sources = metadata.sources("sources", value.get("sources"), lenient=True)
    if value.get("source") is not None:
        named = metadata.named_source("source", value["source"])
        sources = (named, *sources) if named.title else sources
    return Article(
        id=found_id,
        title=metadata.text("title", value.get("title")),
        sections=_sections(found_id, value.get("sections")),
        aliases=metadata.lines("aliases", value.get("aliases")),
        # As given, whatever its scheme: an article is worth more than its link. Pages must check.
        url=metadata.line("url", value.get("url")),
        sources=sources,
        updated=metadata.iso_date("updated", value.get("updated")),
        reviewed=metadata.iso_date("reviewed", value.get("reviewed")),
        publish=metadata.iso_date("publish", value.get("publish")),
        expires=metadata.iso_date("expires", value.get("expires")),
        language=metadata.line("language", value.get("language")) or "en",
        tags=metadata.lines("tags", value.get("tags")),
        related=metadata.lines("related", value.get("related")),
        section_ids_given=True,
    )


def _sections(found_id: str, value: object) -> tuple[Section, ...]:
    if value is None or value == []:
        raise FieldError(f'article {shown(found_id)} has no "sections": add at least one')
    if not isinstance(value, list):
        raise FieldError(f"sections must be a list, not {kind_of(value)}")
    sections = tuple(_section(number, item) for number, item in enumerate(value, start=1))
    seen: set[str] = set()
    for section in sections:
        if section.id in seen:
            raise FieldError(
                f"two sections of article {shown(found_id)} have the id {shown(section.id)}: "
                "give each its own"
            )
        seen.add(section.id)
    if not any(section.text.strip() for section in sections):
        raise FieldError(f"article {shown(found_id)} has no text in any section: add some")
    return sections


def _section(number: int, value: object) -> Section:
    if not isinstance(value, dict):
        raise FieldError(f"section {number} must be a mapping, not {kind_of(value)}")
    for key in ("id", "text"):
        if value.get(key) is None:
            raise FieldError(f'section {number} has no "{key}": add one')
    level = value.get("level")
    if level is None:
        level = _LEVEL
    if not isinstance(level, int) or isinstance(level, bool) or not 1 <= level <= 6:
        raise FieldError(f"section {number}, level {shown(level)} must be a number from 1 to 6")
    body = value["text"]
    if not isinstance(body, str):
        raise FieldError(f"section {number}, text must be text, not {kind_of(body)}")
    return Section(
        id=section_id(value["id"]),
        heading=metadata.text(f"section {number}, heading", value.get("heading")),
        level=level,
        text=normalise(body),
    )
