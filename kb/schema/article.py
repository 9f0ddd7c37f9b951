"""Articles, their sections and their sources.

Every text is NFC with LF line ends. Offsets anywhere in the project are code points in `Section.text`. Making these
objects validates nothing; `indexer.readers` does that, where a file and a line can be named.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

TOP_SECTION = "top"
"""The id of the section that holds the text above the first heading."""


@dataclass(frozen=True, slots=True)
class Source:
    """A public reference that a reader can check. `url` is empty where only a name is known."""

    title: str
    url: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """The text under one heading, up to the next heading of any level.

    `id` is unique within its article. `heading` is empty for text above the first heading.
    `level` is 1 to 6 as in HTML. `text` is plain text, its blocks separated by a blank line.
    """

    id: str
    heading: str
    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Article:
    """One source document.

    `updated` and `reviewed` are ISO 8601 dates or None; `reviewed` is the date of a clinical review. So are `publish`
    and `expires`: the article is shown from the one day on, and from the other on no longer.
    `url` is the publisher's page, empty where there is none. `related` holds ids or titles of other
    articles, which may or may not exist. `section_ids_given` says that the sections' ids came with a collection
    and stand for themselves in runs and judgments; else they are made from headings, and `article#section` is meant.
    """

    id: str
    title: str
    sections: tuple[Section, ...]
    aliases: tuple[str, ...] = ()
    url: str = ""
    sources: tuple[Source, ...] = ()
    updated: str | None = None
    reviewed: str | None = None
    publish: str | None = None
    expires: str | None = None
    language: str = "en"
    tags: tuple[str, ...] = ()
    related: tuple[str, ...] = ()
    section_ids_given: bool = False

    @property
    def display_title(self) -> str:
        """The title, or the id where the title is empty, as in some collections of plain documents."""
        return self.title or self.id

    def is_shown_on(self, day: str) -> bool:
        """Whether `publish` and `expires` let it be shown on that day (YYYY-MM-DD)."""
        return is_shown_on(day, self.publish, self.expires)

    def section(self, section_id: str) -> Section | None:
        """The section of that id, or None."""
        return next((section for section in self.sections if section.id == section_id), None)


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """What a list of articles shows of one."""

    id: str
    title: str
    url: str
    updated: str | None
    reviewed: str | None
    language: str
    tags: tuple[str, ...]
    section_count: int

    @property
    def display_title(self) -> str:
        """The title, or the id where the title is empty, as in some collections of plain documents."""
        return self.title or self.id


def today() -> str:
    """The day by which `publish` and `expires` are judged: UTC's, as YYYY-MM-DD."""
    return datetime.now(UTC).date().isoformat()


def is_shown_on(day: str, publish: str | None, expires: str | None) -> bool:
    """Whether an article with these dates is shown on that day (YYYY-MM-DD)."""
    return (publish is None or publish <= day) and (expires is None or day < expires)


def is_question(title: str) -> bool:
    """Whether a title or an alias is a question that can be asked as it stands."""
    return title.rstrip().endswith("?")


def article_path(article_id: str, section_id: str = "") -> str:
    """The page of an article, `/articles/{id}#{section}`, each part percent-encoded."""
    fragment = f"#{quote(section_id, safe='')}" if section_id else ""
    return f"/articles/{quote(article_id, safe='')}{fragment}"
