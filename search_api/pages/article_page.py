"""Given an article and what its page's address says, what is marked in it and what is found in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from kb.answering.snippet import matches
from kb.knowledge_base import MAX_QUESTION_CHARS, KnowledgeBase
from kb.schema.article import Article, ArticleSummary
from kb.schema.errors import InvalidRequest
from kb.schema.filters import including
from kb.text import analysis
from search_api.pages.blocks import Block, Range
from search_api.pages.cards import make_card, passage_path
from search_api.pages.search_state import whole_number

MOST_FOUND = 6
MOST_RELATED = 6

NEAR_ENOUGH = 0.35
"""The cosine from which on a section that shares no word with what was looked for is told of all the same."""


@dataclass(frozen=True, slots=True)
class FoundSection:
    """A section that fits what was looked for in its article; `link` opens the page at the passage."""

    heading: str
    link: str
    snippet: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What was looked for in an article, the sections that fit it best first, and a sentence about that."""

    wanted: str
    sections: tuple[FoundSection, ...]
    message: str


def find_within(knowledge_base: KnowledgeBase, article: Article, wanted: str) -> Found:
    """The sections of an article that hold the words or come near in meaning; none where nothing was asked."""
    if not wanted.strip():
        return Found("", (), "")
    try:
        response = knowledge_base.search(wanted, MOST_FOUND, article=including(article.id))
    except InvalidRequest as error:
        return Found(wanted, (), str(error))
    near = [
        result
        for result in response.results
        if result.highlights or result.explanation.passage_cosine >= NEAR_ENOUGH
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
    """The places of the wanted words in each section, by section id; none of more words than a question may have."""
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
    """The section that an address cites a passage of, and its range there; None where there is none.

    Where the article has changed since, the passage is where its first `words` stand: in the same section, as near as
    can be to where they stood, or else in the one other section that has them.
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


def related_articles(knowledge_base: KnowledgeBase, article: Article) -> list[ArticleSummary]:
    """Those that the author names, then those nearest in meaning, each once."""
    named = knowledge_base.related(article)
    similar = knowledge_base.similar(article, MOST_RELATED)
    by_id = {summary.id: summary for summary in [*named, *similar]}
    return list(by_id.values())[: max(MOST_RELATED, len(named))]
