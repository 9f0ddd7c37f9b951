"""A reader of Markdown articles.

CommonMark and tables, below front matter (`indexer.readers.front_matter`) whose keys are
`FRONT_MATTER_KEYS`. Each heading at top level starts a section; the title's own does not.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

from markdown_it import MarkdownIt
from markdown_it.tree import SyntaxTreeNode

from indexer.readers import metadata
from indexer.readers.front_matter import FrontMatter, read_front_matter
from indexer.readers.ids import article_id, id_from_name
from indexer.readers.markdown_text import inline_text, section_text
from indexer.readers.metadata import FieldError
from indexer.readers.slug import unique_slugs
from indexer.readers.text import decode
from kb.schema.article import TOP_SECTION, Article, Section
from kb.schema.errors import ArticleError

FRONT_MATTER_KEYS = (
    "id",
    "title",
    "aliases",
    "url",
    "sources",
    "updated",
    "reviewed",
    "publish",
    "expires",
    "language",
    "tags",
    "related",
)

# CommonMark's preset drops what is nested deeper than 20 levels without a word.
_PARSER = MarkdownIt("commonmark", {"maxNesting": 100}).enable("table")

_NO_HEADING = re.compile(r"#{1,6}[^\W\d_]")  # "#1" may well begin a sentence

_T = TypeVar("_T")


class FrontMatterError(ArticleError):
    """A mistake in front matter: the first of `errors`, which are all, by line, one for each key at most."""

    def __init__(self, errors: Sequence[ArticleError]) -> None:
        first = errors[0]
        super().__init__(first.path, first.reason, first.line)
        self.errors = tuple(errors)


@dataclass(frozen=True, slots=True)
class Link:
    """Where a link or an image points, as written but percent-encoded, and its line in the file."""

    target: str
    line: int


@dataclass(frozen=True, slots=True)
class MarkdownArticle:
    """An Article with what only its file knows: whether it states its id, and more.

    `key_lines` are the lines of the front matter's keys, `section_lines` those of the headings by
    section id (without `top`), `links` in the order of the text, `no_headings` the lines of text that look like a
    heading but have no space after their signs.
    """

    article: Article
    states_id: bool
    key_lines: dict[str, int]
    section_lines: dict[str, int]
    links: tuple[Link, ...]
    no_headings: tuple[int, ...]


@dataclass(slots=True)
class _Draft:
    heading: str
    level: int
    line: int
    blocks: list[SyntaxTreeNode] = field(default_factory=list)


def read_markdown(name: Path | str, data: bytes) -> Article:
    """The Article of a file's bytes; `name` stands in errors, its stem is the default id.

    The title is the front matter's or else the first level-1 heading. Level-1 headings that equal
    it are no sections: the text below them is that of `top`, with the text above the first heading.
    Section ids are slugs (`indexer.readers.slug`); a section without text of its own has text "".

    Raises ArticleError, with the line where there is one, for bytes that are not UTF-8, front
    matter that is not valid, no title, or no text at all.
    """
    return parse_markdown(name, data).article


def parse_markdown(name: Path | str, data: bytes) -> MarkdownArticle:
    """`read_markdown` with the lines and links that checks of the file itself need.

    What is wrong with the front matter's keys is a FrontMatterError, which has all of it.
    """
    front = read_front_matter(name, decode(name, data))
    stated = _Fields(name, front).article()
    root = SyntaxTreeNode(_PARSER.parse(front.body))
    title, top, drafts = _split(root, stated.title, front.lines)
    if not title:
        raise ArticleError(
            name, "has no title: add `title:` to its front matter, or a heading `# Title`"
        )
    sections, section_lines = _sections(top, drafts)
    if not any(section.text for section in sections):
        raise ArticleError(name, "has no text: write some below the title or a heading")
    article = replace(stated, title=title, sections=sections)
    return MarkdownArticle(
        article,
        front.values.get("id") is not None,
        front.key_lines,
        section_lines,
        _links(root, front.lines),
        _no_headings(root, front.lines),
    )


class _Fields:
    """Front matter by key, each value checked and its error placed on the key's line."""

    def __init__(self, name: Path | str, front: FrontMatter) -> None:
        self._name = name
        self._front = front
        self._errors: list[ArticleError] = []

    def article(self) -> Article:
        """What is stated, an article without sections as yet. Raises FrontMatterError."""
        for key in self._front.values:
            self._check_known(key)
        stated = self._get("id", _given_id)
        article = Article(
            id=id_from_name(self._name) if stated is None else stated,
            title=self._get("title", metadata.line),
            sections=(),
            aliases=self._get("aliases", metadata.lines),
            url=self._get("url", metadata.url),
            sources=self._get("sources", metadata.sources),
            updated=self._get("updated", metadata.iso_date),
            reviewed=self._get("reviewed", metadata.iso_date),
            publish=self._get("publish", metadata.iso_date),
            expires=self._get("expires", metadata.iso_date),
            language=self._get("language", metadata.line) or "en",
            tags=self._get("tags", metadata.lines),
            related=self._get("related", metadata.lines),
        )
        if self._errors:
            raise FrontMatterError(sorted(self._errors, key=lambda error: error.line or 0))
        return article

    def _check_known(self, key: object) -> None:
        try:
            metadata.refuse_unknown("the front matter", [key], FRONT_MATTER_KEYS)
        except FieldError as error:
            self._add(str(key), error)

    def _get(self, key: str, check: Callable[[str, object], _T]) -> _T:
        try:
            return check(key, self._front.values.get(key))
        except FieldError as error:
            self._add(key, error)
            return check(key, None)  # as if it were not stated

    def _add(self, key: str, error: FieldError) -> None:
        line = self._front.key_lines.get(key)
        self._errors.append(ArticleError(self._name, str(error), line))


def _given_id(_: str, value: object) -> str | None:
    return None if value is None else article_id(value)


def _split(
    root: SyntaxTreeNode, title: str, lines_above: int
) -> tuple[str, list[SyntaxTreeNode], list[_Draft]]:
    """The title, the blocks of `top`, and the sections that headings start."""
    top: list[SyntaxTreeNode] = []
    drafts: list[_Draft] = []
    blocks = top
    for node in root.children:
        if node.type != "heading":
            blocks.append(node)
            continue
        heading, level = inline_text(node), int(node.tag[1])
        title = title or (heading if level == 1 else "")
        if level == 1 and heading.casefold() == title.casefold():
            blocks = top
            continue
        line = lines_above + (node.map[0] if node.map else 0) + 1
        drafts.append(_Draft(heading, level, line))
        blocks = drafts[-1].blocks
    return title, top, drafts


def _sections(
    top: list[SyntaxTreeNode], drafts: list[_Draft]
) -> tuple[tuple[Section, ...], dict[str, int]]:
    sections: list[Section] = []
    text = section_text(top)
    if text:
        sections.append(Section(TOP_SECTION, "", 1, text))
    ids = unique_slugs([draft.heading for draft in drafts], [section.id for section in sections])
    for section_id, draft in zip(ids, drafts, strict=True):
        text = section_text(draft.blocks)
        sections.append(Section(section_id, draft.heading, draft.level, text))
    lines = {section_id: draft.line for section_id, draft in zip(ids, drafts, strict=True)}
    return tuple(sections), lines


def _no_headings(root: SyntaxTreeNode, lines_above: int) -> tuple[int, ...]:
    found: list[int] = []
    for node in root.children:
        if node.type == "paragraph" and node.map:
            first = lines_above + node.map[0] + 1
            lines = node.children[0].content.split("\n")
            found += (first + n for n, line in enumerate(lines) if _NO_HEADING.match(line))
    return tuple(found)


def _links(root: SyntaxTreeNode, lines_above: int) -> tuple[Link, ...]:
    links: list[Link] = []
    line = lines_above + 1
    for node in root.walk():
        if not node.is_root and node.map:
            # A table's cells have no line of their own: theirs is the last one seen, the row's.
            line = lines_above + node.map[0] + 1
        if node.type != "inline" or node.token is None:
            continue
        breaks = 0
        for token in node.token.children or ():
            target = token.attrGet("href") or token.attrGet("src")
            if target is not None:
                links.append(Link(str(target), line + breaks))
            breaks += token.type in ("softbreak", "hardbreak")
    return tuple(links)
