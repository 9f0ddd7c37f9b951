"""The results of the tools, as fields for programs, the most urgent first.

kb.mcp.wording turns them into text, for assistants that read text.
"""

from __future__ import annotations

from pydantic import BaseModel, Field

from kb.library import Library, full_link
from kb.schema.article import Article, ArticleSummary, article_path
from kb.schema.errors import ArticleMoved, NotFound, PassageNotFound
from kb.schema.results import (
    Answered,
    Citation,
    Link,
    NoticeKind,
    SearchResponse,
    SearchResult,
)
from kb.schema.search_request import SearchRequest

NO_ANSWER_TEXT = "This library has no answer to the question."
ONLY_NEAREST_TEXT = (
    f"{NO_ANSWER_TEXT} The passages below are only the nearest ones; do not give them as an answer."
)

NO_ARTICLE_TEXT = "There is no article with that id. `search` and `list_articles` give the ids."

_DATE = "ISO 8601, null if unknown."


class Notice(BaseModel):
    """The publisher's fixed text for a question that sounds like an emergency. Show it first and unchanged."""

    kind: NoticeKind = Field(
        description='`conditional`: it begins with "if" and says nothing about the reader.'
    )
    title: str
    text: str
    links: list[Link]


class Passage(BaseModel):
    """A quotation with its citation."""

    quote: str = Field(description="The passage word for word. Quote it unchanged.")
    article_title: str
    section_heading: str = Field(description="Empty for the text above the first heading.")
    url: str = Field(description="Link to the section. Give it with the quotation.")
    source_url: str = Field(description="The publisher's page, or empty.")
    updated: str | None = Field(description=f"When the article was last changed: {_DATE}")
    reviewed: str | None = Field(description=f"When a clinician reviewed it: {_DATE}")
    article_id: str
    section_id: str
    start: int = Field(
        description="Where the quotation begins in the section's text, in code points."
    )
    end: int = Field(description="Where it ends, exclusive.")
    score: float = Field(description="How well the passage fits the question, at most 1.")


class SearchAnswer(BaseModel):
    """The answer to a question."""

    notices: list[Notice] = Field(description="Show these before anything else, unchanged.")
    answered: Answered = Field(description="`none`: the library has no answer to the question.")
    verdict: str = Field(description="What `answered` means, in words.")
    searched_for: str = Field(
        description="The question with its spelling corrected; empty if nothing was corrected."
    )
    left_out: list[str] = Field(
        description="Words that a minus in the question left out; no passage has them."
    )
    passages: list[Passage] = Field(description="The best first.")
    when_to_seek_care: Passage | None = Field(description="For a symptom: when to see a doctor.")
    generation: str = Field(description="Id of the index generation that answered.")


class SectionName(BaseModel):
    """A section that can be read."""

    section_id: str
    heading: str


class SectionAnswer(BaseModel):
    """A section of an article word for word. If no section was named, the names of the article's sections."""

    article_id: str
    article_title: str
    section_id: str = Field(description="Empty if no section was named.")
    section_heading: str
    text: str = Field(description="The whole text of the section.")
    url: str
    source_url: str
    updated: str | None = Field(description=f"When the article was last changed: {_DATE}")
    reviewed: str | None = Field(description=f"When a clinician reviewed it: {_DATE}")
    sources: list[Link] = Field(description="The references of the article.")
    sections: list[SectionName] = Field(description="All sections of the article, in order.")


class ArticleEntry(BaseModel):
    """An article in the list."""

    article_id: str
    title: str
    url: str
    updated: str | None
    reviewed: str | None
    topics: list[str]
    sections: int = Field(description="Number of sections.")


class ArticlesAnswer(BaseModel):
    """A page of the list of articles."""

    total: int = Field(description="Number of articles in the library.")
    articles: list[ArticleEntry]
    next_offset: int | None = Field(description="The `offset` of the next page; null on the last.")


def search(library: Library, request: SearchRequest) -> SearchAnswer:
    """The answer to a question. Raises the library's errors."""
    response = library.answer(request)
    return SearchAnswer(
        notices=[
            Notice(kind=notice.kind, title=notice.title, text=notice.text, links=list(notice.links))
            for notice in response.notices
        ],
        answered=response.answered,
        verdict=_verdict(response),
        searched_for=response.correction.text if response.correction else "",
        left_out=list(response.excluded.words) if response.excluded else [],
        passages=[_passage(library, result) for result in response.results],
        when_to_seek_care=_passage(library, response.companion) if response.companion else None,
        generation=response.generation,
    )


def read_section(library: Library, article_id: str, section_id: str) -> SectionAnswer:
    """A section, or the names of all sections if `section_id` is empty.

    Raises NotFound, and PassageNotFound, which names the existing sections.
    """
    try:
        article = _article(library, article_id)
    except NotFound:
        raise NotFound(NO_ARTICLE_TEXT) from None  # the library's own message repeats the id
    section = article.section(section_id) if section_id else None
    if section_id and section is None:
        known = ", ".join(section.id for section in article.sections)
        raise PassageNotFound(f"The article has no section with that id; it has: {known}.")
    return SectionAnswer(
        article_id=article.id,
        article_title=article.display_title,
        section_id=section_id,
        section_heading=section.heading if section else "",
        text=section.text if section else "",
        url=full_link(library, article_path(article.id, section_id)),
        source_url=article.url,
        updated=article.updated,
        reviewed=article.reviewed,
        sources=[Link(source.title, source.url) for source in article.sources],
        sections=_names(article),
    )


def _article(library: Library, article_id: str) -> Article:
    """The article that has that id now, or had it earlier."""
    try:
        return library.article(article_id)
    except ArticleMoved as moved:
        return library.article(moved.to)


def list_articles(library: Library, limit: int, offset: int) -> ArticlesAnswer:
    """One page of the articles by title."""
    page = library.articles(limit, offset)
    ends = offset + len(page.articles)
    return ArticlesAnswer(
        total=page.total,
        articles=[_entry(library, summary) for summary in page.articles],
        next_offset=ends if page.articles and ends < page.total else None,
    )


def _verdict(response: SearchResponse) -> str:
    if response.answered == "none":
        told = ONLY_NEAREST_TEXT if response.results else NO_ANSWER_TEXT
        return f"{told} {response.reason}".rstrip()
    if response.answered == "likely":
        return "The first passages probably answer the question. Check that they are about what was asked."
    return "The first passage answers the question."


def _passage(library: Library, result: SearchResult) -> Passage:
    citation: Citation = result.citation
    return Passage(
        quote=citation.quote,
        article_title=citation.article_title,
        section_heading=citation.section_heading,
        url=full_link(library, citation.url),
        source_url=citation.source_url,
        updated=citation.updated,
        reviewed=citation.reviewed,
        article_id=citation.article_id,
        section_id=citation.section_id,
        start=citation.start,
        end=citation.end,
        score=result.score,
    )


def _names(article: Article) -> list[SectionName]:
    return [
        SectionName(section_id=section.id, heading=section.heading) for section in article.sections
    ]


def _entry(library: Library, summary: ArticleSummary) -> ArticleEntry:
    return ArticleEntry(
        article_id=summary.id,
        title=summary.display_title,
        url=full_link(library, article_path(summary.id)),
        updated=summary.updated,
        reviewed=summary.reviewed,
        topics=list(summary.tags),
        sections=summary.section_count,
    )
