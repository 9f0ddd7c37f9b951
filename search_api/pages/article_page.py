"""An article's page: the passage or words marked in it, the sections found in it, related articles."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kb.answering.snippet import matches
from kb.knowledge_base import MAX_QUESTION_CHARS, KnowledgeBase
from kb.schema.article import Article
from kb.schema.errors import InvalidRequest
from kb.schema.filters import including
from kb.text import analysis
from search_api.pages.blocks import Block, Range
from search_api.pages.cards import make_card, passage_path
from search_api.pages.search_state import whole_number

MAX_FOUND_SECTIONS = 6
"""Maximum number of sections found within an article."""

MAX_RELATED_ARTICLES = 6
"""Maximum number of related articles, unless the author lists more."""

MIN_COSINE = 0.35
"""Least cosine at which a section is listed that shares no word with the text looked for."""


@dataclass(frozen=True, slots=True)
class ArticleLink:
    """An article to go to."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class FoundSection:
    """A section that fits the text looked for. `link` opens the page at the passage."""

    heading: str
    link: str
    snippet: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """The text looked for in an article, the sections that fit, best first, and a sentence about them."""

    wanted: str
    sections: tuple[FoundSection, ...]
    message: str


def find_within(knowledge_base: KnowledgeBase, article: Article, wanted: str) -> Found:
    """The sections of an article that hold the words or are similar in meaning; none for a blank text."""
    if not wanted.strip():
        return Found("", (), "")
    try:
        response = knowledge_base.search(wanted, MAX_FOUND_SECTIONS, article=including(article.id))
    except InvalidRequest as error:
        return Found(wanted, (), str(error))
    near = [
        result
        for result in response.results
        if result.highlights or result.explanation.passage_cosine >= MIN_COSINE
    ]
    sections = tuple(
        FoundSection(
            result.citation.section_heading or "Introduction",
            passage_path(
                article.id,
                result.citation.section_id,
                result.citation.start,
                result.citation.end,
                result.citation.quote,
            ),
            make_card(result, article).snippet,
        )
        for result in near
    )
    if not sections:
        return Found(wanted, (), "Nothing in this article seems to be about that.")
    count = len(sections)
    return Found(wanted, sections, f"{count} section{'' if count == 1 else 's'} of this article:")


def found_words(article: Article, wanted: str) -> dict[str, list[Range]]:
    """Where the words stand in each section, by section id. A text longer than a question may be has none."""
    if len(wanted) > MAX_QUESTION_CHARS:
        return {}
    terms = dict.fromkeys(analysis.terms(wanted), 1.0)
    return {
        section.id: [(start, end) for start, end, _ in matches(section.text, terms)]
        for section in article.sections
    }


def cited_passage(
    article: Article, section_id: str | None, start: str | None, end: str | None, words: str
) -> tuple[str, tuple[int, int]] | None:
    """The section and range of the passage that an address cites, or None.

    In an article that has changed, the passage is found by its first `words`. The same section is searched first, for
    the match nearest to the old place. Otherwise the words must stand in exactly one other section.
    """
    begin, stop = whole_number(start), whole_number(end)
    if section_id is None or begin is None or stop is None or begin >= stop:
        return None
    section = article.section(section_id)
    if section is not None and stop <= len(section.text) and section.text.startswith(words, begin):
        return section.id, (begin, stop)
    if not words.strip():
        return None
    others = [section] if section is not None else []
    holding = [each for each in others if words in each.text]
    holding = holding or [each for each in article.sections if words in each.text]
    if len(holding) != 1:
        return None
    text = holding[0].text
    places = [found.start() for found in re.finditer(re.escape(words), text)]
    moved = min(places, key=lambda place: abs(place - begin))
    return holding[0].id, (moved, min(moved + stop - begin, len(text)))


def related_articles(knowledge_base: KnowledgeBase, article: Article) -> list[ArticleLink]:
    """The articles that the author lists, then the nearest in meaning, each once."""
    linked = [
        ArticleLink(other.id, other.display_title) for other in knowledge_base.linked(article)
    ]
    nearest = [
        ArticleLink(other.citation.article_id, other.citation.article_title)
        for other in knowledge_base.related(article.id, limit=MAX_RELATED_ARTICLES).results
    ]
    return list(dict.fromkeys([*linked, *nearest]))[: max(MAX_RELATED_ARTICLES, len(linked))]
