"""A reader of plain text articles, whose headings are lines of their own.

The rule, which needs no mark-up:

- The first line that is not blank is the title. Lines drawn of - = _ * ~ # alone count as blank.
- Blank lines separate blocks. A heading is a block of one line, of at most `HEADING_MAX_CHARS`
  characters, that does not end in . , ; or : (quotes and brackets after them aside) and does not
  start with a bullet, with text somewhere below it.
- Such lines at the very end, with no text below, are the titles of related articles.
- Where nothing in the file is long enough to be text, there are no headings: all of it is text.

Paragraphs keep their line ends, since nothing tells a wrapped line from a list or a verse.
"""

from __future__ import annotations

import re
from pathlib import Path

from indexer.readers.ids import id_from_name
from indexer.readers.slug import unique_slugs
from indexer.readers.text import decode
from kb.schema.article import TOP_SECTION, Article, Section
from kb.schema.errors import ArticleError

HEADING_MAX_CHARS = 80

_LEVEL = 2
_DRAWN = re.compile(r"[-=_*~#]{3,}")
_BULLET = re.compile(r"[-*•–]\s")
_STOPS = (".", ",", ";", ":", "…", "。", "、", "，", "；", "：")
_CLOSERS = "\"'”’»)]"


def read_plain_text(name: Path | str, data: bytes) -> Article:
    """The Article of a file's bytes; `name` stands in errors, its stem is the id.

    Text above the first heading is section `top`; headings are of level 2, their ids slugs. Raises
    ArticleError for bytes that are not UTF-8 text, an empty file, and a title without text.
    """
    lines = [line.rstrip() for line in decode(name, data).split("\n")]
    title, blocks = _title_and_blocks(lines)
    if not title:
        raise ArticleError(name, "is empty: write a title on its first line and text below")
    if not blocks:
        raise ArticleError(name, "has a title but no text: write some below the first line", 1)
    prose = [number for number, block in enumerate(blocks) if not _is_heading(block)]
    if prose:
        blocks, related = blocks[: prose[-1] + 1], blocks[prose[-1] + 1 :]
        sections = _sections(blocks)
    else:
        related = []
        sections = (Section(TOP_SECTION, "", 1, _joined(blocks)),)
    return Article(
        id=id_from_name(name),
        title=title,
        sections=sections,
        related=tuple(" ".join(block[0].split()) for block in related),
    )


def _title_and_blocks(lines: list[str]) -> tuple[str, list[list[str]]]:
    title = ""
    blocks: list[list[str]] = []
    block: list[str] = []
    for line in lines:
        stripped = line.strip()
        if not stripped or _DRAWN.fullmatch(stripped):
            block = []
        elif not title:
            title = " ".join(stripped.split())
        else:
            if not block:
                blocks.append(block)
            block.append(line)
    return title, blocks


def _is_heading(block: list[str]) -> bool:
    line = block[0].strip()
    return (
        len(block) == 1
        and len(line) <= HEADING_MAX_CHARS
        and any(char.isalnum() for char in line)
        and not _BULLET.match(line)
        and not line.rstrip(_CLOSERS).endswith(_STOPS)
    )


def _sections(blocks: list[list[str]]) -> tuple[Section, ...]:
    top: list[list[str]] = []
    parts: list[tuple[str, list[list[str]]]] = []
    for block in blocks:
        if _is_heading(block):
            parts.append((" ".join(block[0].split()), []))
        else:
            (parts[-1][1] if parts else top).append(block)
    sections = [Section(TOP_SECTION, "", 1, _joined(top))] if top else []
    ids = unique_slugs([heading for heading, _ in parts], [section.id for section in sections])
    sections += [
        Section(section_id, heading, _LEVEL, _joined(below))
        for section_id, (heading, below) in zip(ids, parts, strict=True)
    ]
    return tuple(sections)


def _joined(blocks: list[list[str]]) -> str:
    return "\n\n".join("\n".join(block) for block in blocks)
