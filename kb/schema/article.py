"""Articles, their sections and their sources.

Every text is NFC with LF line ends. Offsets anywhere in the project are code points in `Section.text`. These classes
validate nothing. `indexer.readers` does, because it can name a file and a line.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import quote

TOP_SECTION = "top"
"""The id of the section that holds the text above the first heading."""


@dataclass(frozen=True, slots=True)
class Source:
    """A public reference that a reader can check."""

    title: str
    """The reference's name."""
    url: str = ""
    """The reference's address, or empty."""


@dataclass(frozen=True, slots=True)
class Section:
    """The text under one heading, up to the next heading of any level."""

    id: str
    """The section's id, unique within the article, and its anchor on the page."""
    heading: str
    """The section's heading; empty for the text above the first heading."""
    level: int
    """1 to 6 as in HTML."""
    text: str
    """Plain text, with a blank line between blocks."""


@dataclass(frozen=True, slots=True)
class Article:
    """One source document with its sections."""

    id: str
    """The article's id."""
    title: str
    """The article's title; empty if it has none."""
    sections: tuple[Section, ...]
    """The sections in order."""
    aliases: tuple[str, ...] = ()
    """Other names of the subject, lay and medical."""
    url: str = ""
    """The publisher's page, or empty."""
    sources: tuple[Source, ...] = ()
    """Public references that a reader can check."""
    updated: str | None = None
    """When the article was last changed: ISO 8601 date, or null if none is known."""
    reviewed: str | None = None
    """When a clinician reviewed the article: ISO 8601 date, or null if none is known."""
    publish: str | None = None
    """First day on which the article is shown: ISO 8601 date, or null if none is known."""
    expires: str | None = None
    """Day from which the article is no longer shown: ISO 8601 date, or null if none is known."""
    language: str = "en"
    """BCP 47 language tag."""
    tags: tuple[str, ...] = ()
    """The article's topics."""
    related: tuple[str, ...] = ()
    """Ids or titles of related articles, which may not exist in this library."""
    section_ids_given: bool = False
    """Whether the section ids came with the collection. Otherwise they are made from the headings."""

    @property
    def display_title(self) -> str:
        """The title, or the id where the title is empty, as in some collections of plain documents."""
        return self.title or self.id

    def is_shown_on(self, day: str) -> bool:
        """Whether the article is shown on that day (YYYY-MM-DD), by `publish` and `expires`."""
        return is_shown_on(day, self.publish, self.expires)

    def section(self, section_id: str) -> Section | None:
        """The section with that id, or None."""
        return next((section for section in self.sections if section.id == section_id), None)


@dataclass(frozen=True, slots=True)
class ArticleSummary:
    """An article as the list of articles shows it."""

    id: str
    """The article's id."""
    title: str
    """The article's title; empty if it has none."""
    url: str
    """The publisher's page, or empty."""
    updated: str | None
    """When the article was last changed: ISO 8601 date, or null if none is known."""
    reviewed: str | None
    """When a clinician reviewed the article: ISO 8601 date, or null if none is known."""
    language: str
    """BCP 47 language tag."""
    tags: tuple[str, ...]
    """The article's topics."""
    section_count: int
    """Number of sections."""

    @property
    def display_title(self) -> str:
        """The title, or the id where the title is empty, as in some collections of plain documents."""
        return self.title or self.id


def today() -> str:
    """Today in UTC, as YYYY-MM-DD. `publish` and `expires` are compared with it."""
    return datetime.now(UTC).date().isoformat()


def is_shown_on(day: str, publish: str | None, expires: str | None) -> bool:
    """Whether an article with these dates is shown on that day (YYYY-MM-DD)."""
    return (publish is None or publish <= day) and (expires is None or day < expires)


def is_question(title: str) -> bool:
    """Whether a title or an alias is a question that can be asked as it is."""
    return title.rstrip().endswith("?")


def article_path(article_id: str, section_id: str = "") -> str:
    """The path of an article's page, `/articles/{id}#{section}`, each part percent-encoded."""
    fragment = f"#{quote(section_id, safe='')}" if section_id else ""
    return f"/articles/{quote(article_id, safe='')}{fragment}"
