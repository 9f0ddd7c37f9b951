"""The card of a search result on the page."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote

from kb.schema.article import Article, article_path
from kb.schema.results import SearchResult
from search_api.pages.blocks import Block, blocks

CITED_ANCHOR = "page.cited"
"""The id of the highlighted passage on an article's page. Sections' slugs hold no dot."""

LOCATOR_CHARS = 40
"""Number of a passage's first characters that an address holds, to find the passage by."""


@dataclass(frozen=True, slots=True)
class Part:
    """One of the parts of a score. `figure` is what it adds, `measure` the bare signal."""

    name: str
    meaning: str
    figure: float
    measure: str


@dataclass(frozen=True, slots=True)
class Card:
    """A result as the template wants it; `link` and `sources_link` begin with `/articles/`."""

    result: SearchResult
    article: Article
    link: str
    sources_link: str
    snippet: tuple[Block, ...]
    cut_before: bool
    cut_after: bool
    passage: tuple[Block, ...]
    parts: tuple[Part, ...]
    words: tuple[str, ...]


def make_card(result: SearchResult, article: Article) -> Card:
    """The card of one result. `article` is the one it cites."""
    citation, snippet = result.citation, result.snippet
    return Card(
        result=result,
        article=article,
        link=passage_path(
            *(citation.article_id, citation.section_id, citation.start, citation.end),
            passage=citation.quote,
        ),
        sources_link=f"{article_path(article.id)}#page.sources",
        snippet=_shifted(snippet.text, snippet.start, result.highlights),
        cut_before=snippet.start > citation.start,
        cut_after=snippet.end < citation.end,
        passage=_shifted(result.text, citation.start, result.highlights),
        parts=_parts(result),
        words=_words(result),
    )


def passage_path(article_id: str, section_id: str, start: int, end: int, passage: str) -> str:
    """The article's page with a passage highlighted and in view.

    Its first words go along: by them it is found again where the article has changed, or moved, since.

    A passage at the start of its section is reached by the section's own anchor, so that its
    heading is in view too; one further down by the passage's.
    """
    section = quote(section_id, safe="")
    anchor = section if start == 0 else CITED_ANCHOR
    words = quote(passage[:LOCATOR_CHARS], safe="")
    query = f"start={start}&end={end}&section={section}&words={words}"
    return f"{article_path(article_id)}?{query}#{anchor}"


def _shifted(text: str, start: int, highlights: tuple[tuple[int, int], ...]) -> tuple[Block, ...]:
    """The blocks of a text that begins at `start` of its section, as highlights count."""
    marks = [(max(begin - start, 0), end - start) for begin, end in highlights]
    return blocks(text, marks)


def _words(result: SearchResult) -> tuple[str, ...]:
    """The matched words as the passage writes them, each once."""
    start = result.citation.start
    found = (result.text[begin - start : end - start] for begin, end in result.highlights)
    return tuple(dict.fromkeys(word.casefold() for word in found if word))


def _parts(result: SearchResult) -> tuple[Part, ...]:
    why = result.explanation
    nearest_name = f" The nearest of its names is “{why.name_matched}”." if why.name_matched else ""
    parts = (
        Part(
            "The words",
            "Words of your question that are in the passage, its headings or the article’s names."
            " Rare words count more.",
            why.keyword,
            f"{why.keyword_score:.0%} of the maximum for your question",
        ),
        Part(
            "The passage as a whole",
            "How close it is in meaning to your question, even if it uses other words.",
            why.dense,
            _closeness(why.passage_cosine),
        ),
        Part(
            "Its nearest sentence",
            "The one sentence of the passage that comes closest in meaning to your question.",
            why.sentence,
            _closeness(why.sentence_cosine),
        ),
        Part(
            "The name of the article",
            f"Whether the whole article is about what you asked.{nearest_name}",
            why.name,
            _closeness(why.name_cosine),
        ),
        Part(
            "The subject of the question",
            "How many words your question shares with one of the article’s names.",
            why.focus,
            f"{why.focus_share:.0%} of the maximum",
        ),
        Part(
            "The wording",
            "Whether one sentence has the words of your question, side by side as you put them.",
            why.wording,
            f"{why.wording_share:.0%} of the most there could be",
        ),
    )
    lifted = (
        Part(
            "One of several subjects",
            "Your question names more than one, and each is shown.",
            why.subject,
            "Half of its distance to the best result of the other subject",
        ),
        Part(
            "The kind of answer",
            "This is the kind of section that you ask for.",
            why.kind,
            "Its distance to another section of the article",
        ),
    )
    return (*parts, *(part for part in lifted if part.figure))


def _closeness(cosine: float) -> str:
    return f"Closeness {cosine:.2f}, where 1 is the same meaning"
