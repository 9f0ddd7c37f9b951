"""Articles as Markdown with front matter. The indexer reads the result back as the same article.

The index keeps plain text, so emphasis and links of a source file are lost. Lists and tables are written as such.
Other text is escaped if Markdown would read it as markup.

A collection may contain what Markdown cannot express. Section ids are made from the headings. An article without a
title gets its id as title. Titles and headings become one line. A section whose heading is the article's title moves
one level down. A section without a heading, unless it is the first, is joined to the section before.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from kb.schema.article import Article

MEDIA_TYPE = "text/markdown"

_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_SPECIAL = re.compile(r"[\\`*_\[\]<>&|]")
_LINE_START = re.compile(r"[#+\-=~:]|\d{1,9}(?=[.)])")
_BULLET = re.compile(r"((?:  )*)- (\S.*)")
_NUMBER = re.compile(r"(\d{1,9})\. (\S.*)")
_BACKTICKS = re.compile(r"`+")
_CELL_BORDER = " | "
_LISTS_APART = "<!-- -->"  # separates two lists, which would be read as one
# Characters that JSON does not escape, and that YAML refuses or reads as a line end.
_NOT_IN_YAML = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def article_markdown(article: Article) -> str:
    """The article as the content of a Markdown file."""
    parts = ["\n".join(_front_matter(article))]
    title = _title(article)
    parts.append(f"# {_heading(title)}")
    for section in article.sections:
        heading = _line(section.heading)
        if heading:
            # A level-1 heading equal to the title would be read as the title.
            level = (
                max(2, section.level) if heading.casefold() == title.casefold() else section.level
            )
            parts.append(f"{'#' * level} {_heading(heading)}")
        parts += _blocks(section.text)
    return "\n\n".join(parts) + "\n"


def _front_matter(article: Article) -> Iterator[str]:
    yield "---"
    yield f"id: {_quoted(article.id)}"
    yield f"title: {_quoted(_title(article))}"
    if article.aliases:
        yield f"aliases: {_listed(article.aliases)}"
    if article.url:
        yield f"url: {_quoted(article.url)}"
    if article.sources:
        yield "sources:"
        for source in article.sources:
            url = f", url: {_quoted(source.url)}" if source.url else ""
            yield f"  - {{title: {_quoted(source.title)}{url}}}"
    for name in ("updated", "reviewed", "publish", "expires"):
        day = getattr(article, name)
        if day:
            yield f"{name}: {_quoted(day)}"
    yield f"language: {_quoted(article.language)}"
    if article.tags:
        yield f"tags: {_listed(article.tags)}"
    if article.related:
        yield f"related: {_listed(article.related)}"
    yield "---"


def _quoted(text: str) -> str:
    """The text as a YAML scalar. A JSON string is one, except for a few characters."""
    written = json.dumps(text, ensure_ascii=False)
    return _NOT_IN_YAML.sub(lambda found: f"\\u{ord(found[0]):04x}", written)


def _listed(texts: tuple[str, ...]) -> str:
    return f"[{', '.join(map(_quoted, texts))}]"


def _title(article: Article) -> str:
    return _line(article.title) or article.id


def _line(text: str) -> str:
    return " ".join(text.split())


def _heading(text: str) -> str:
    return _SPECIAL.sub(r"\\\g<0>", text).replace("#", "\\#")


def _escaped(line: str) -> str:
    written = _SPECIAL.sub(r"\\\g<0>", line)
    start = _LINE_START.match(written)
    if start is None:
        return written
    end = start.end()
    if start[0][0].isdigit():  # "1." begins a list: escape its full stop
        return f"{written[:end]}\\{written[end:]}"
    return f"\\{written}"


def _blocks(text: str) -> Iterator[str]:
    after_list = False
    for block in filter(None, _BLANK_LINES.split(text)):
        lines = block.split("\n")
        written = _list(lines)
        is_list = written is not None
        if is_list and after_list:
            yield _LISTS_APART
        after_list = is_list
        yield written or _table(lines) or _paragraph(lines) or _verbatim(block)


def _list(lines: list[str]) -> str | None:
    """The lines as a bulleted or numbered list, or None if they are not one."""
    if any(line != line.rstrip() for line in lines):
        return None
    bullets = [_BULLET.fullmatch(line) for line in lines]
    depth = 0
    written = []
    for found in bullets:
        if found is None or len(found[1]) > depth:
            break
        depth = len(found[1]) + len("  ")
        written.append(f"{found[1]}- {_escaped(found[2])}")
    if len(written) == len(lines) and not lines[0].startswith(" "):
        return "\n".join(written)
    numbers = [_NUMBER.fullmatch(line) for line in lines]
    first = int(numbers[0][1]) if numbers[0] else 0
    written = [
        f"{found[1]}. {_escaped(found[2])}"
        for expected, found in enumerate(numbers, start=first)
        if found is not None and found[1] == str(expected)
    ]
    return "\n".join(written) if len(written) == len(lines) else None


def _table(lines: list[str]) -> str | None:
    rows = [line.split(_CELL_BORDER) for line in lines]
    width = len(rows[0])
    plain = all(
        len(row) == width and all(cell and cell == " ".join(cell.split()) for cell in row)
        for row in rows
    )
    if len(rows) < 2 or width < 2 or not plain:
        return None
    head, *others = (f"| {_CELL_BORDER.join(map(_escaped, row))} |" for row in rows)
    return "\n".join([head, f"|{' --- |' * width}", *others])


def _paragraph(lines: list[str]) -> str | None:
    """The lines with hard line breaks; None if white space would be lost."""
    if any(not line or line != line.strip() for line in lines):
        return None
    return "\\\n".join(map(_escaped, lines))


def _verbatim(block: str) -> str:
    longest = max(map(len, _BACKTICKS.findall(block)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}\n{block}\n{fence}"
