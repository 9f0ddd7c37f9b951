"""Search responses: ranked passages, each with a citation.

The names are the same in Python, in JSON and in the templates. Offsets are code points in the text of the cited
section, the end exclusive.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

Answered = Literal["confident", "likely", "none"]
SuggestionKind = Literal["article", "section", "question"]


@dataclass(frozen=True, slots=True)
class Snippet:
    """The part of the passage that answers, one contiguous range: `section.text[start:end]`."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Citation:
    """A verifiable pointer: `quote` stands word for word at `start` to `end` of the section's text.

    `url` is the article's page here, with the section's anchor; `source_url` the publisher's page, or
    empty. `section_heading` is empty for the text above an article's first heading. `updated` and `reviewed`, the
    article's ISO 8601 dates of its last change and its clinical review, are None where nobody gave one.
    """

    article_id: str
    article_title: str
    section_id: str
    section_heading: str
    url: str
    source_url: str
    quote: str
    start: int
    end: int
    updated: str | None = None
    reviewed: str | None = None


@dataclass(frozen=True, slots=True)
class Explanation:
    """What each ranker contributed. The result's score is the sum of the eight contributions.

    `keyword`, `dense`, `sentence`, `name` and `focus` are contributions, already weighted; `subject`, mostly 0, is what
    is added so that of several subjects in one question each is shown, and `kind`, mostly 0, what is added so that of
    an article's sections the one of the kind asked for comes first; `article`, 0 for an article's best passage, what is
    added because the article is about what is asked. `keyword_score` is BM25F
    divided by the question's bound, 0 to 1; the cosines are -1 to 1: of the question with the passage, with
    its nearest sentence, and with the article's title or its nearest alias (`name_matched`). `focus_share`, 0 to 1,
    says how far one of these names and the question are the same words. `terms` gives each matched term of
    the question its share of `keyword`.
    """

    keyword: float
    dense: float
    sentence: float
    name: float
    focus: float
    keyword_score: float
    passage_cosine: float
    sentence_cosine: float
    name_cosine: float
    name_matched: str
    focus_share: float
    terms: dict[str, float]
    subject: float = 0.0
    kind: float = 0.0
    article: float = 0.0


@dataclass(frozen=True, slots=True)
class SectionLink:
    """A section to go to: its heading, empty for the text above the first, and its `url`, as in a citation."""

    section_id: str
    section_heading: str
    url: str


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One section, by its best passage. `rank` counts from 1 over all pages; a companion's is 0.

    `score` is at most 1, and about 0 or less where question and passage have nothing in common. `why` says in words
    why it is here; `also` are sections of the same article that stand further down.
    """

    rank: int
    score: float
    text: str
    snippet: Snippet
    highlights: tuple[tuple[int, int], ...]
    citation: Citation
    explanation: Explanation
    why: str = ""
    also: tuple[SectionLink, ...] = ()


@dataclass(frozen=True, slots=True)
class Correction:
    """What was searched for instead of what was typed: the whole text, and each word as (typed, used)."""

    text: str
    changes: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Link:
    """A public page, with the name to show."""

    title: str
    url: str


@dataclass(frozen=True, slots=True)
class Notice:
    """Fixed words of the publisher for questions that sound like an emergency, with pages where to check them."""

    id: str
    title: str
    text: str
    links: tuple[Link, ...]


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One topic or source, and how many of the nearest articles bear it."""

    name: str
    articles: int


@dataclass(frozen=True, slots=True)
class Facets:
    """What the answer can be narrowed to: topics (tags) and sources (hosts), the commonest first."""

    topics: tuple[FacetValue, ...]
    sources: tuple[FacetValue, ...]


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """A term of the question: in how many passages it stands (0: nowhere), and what it counts."""

    term: str
    passages: int
    idf: float


@dataclass(frozen=True, slots=True)
class ExplainedName:
    """A name in the question, as typed, and the other names that were looked for beside it, as terms."""

    name: str
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ExplainedCondition:
    """An operator: a "phrase" (of one or more words) or a "prefix", in the field alone where one is named.

    `expansions` are the terms that a prefix stands for.
    """

    kind: str
    text: str
    field: str | None
    negated: bool
    expansions: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class QuestionExplanation:
    """How a question was understood and answered.

    `text` is what was ranked by, `weights` how much each of the five signals counted. Filters and operators left
    `allowed` passages, of which `candidates` were ranked. `evidence` is what `answered` goes by: from `likely_from` on
    it is "likely", from `confident_from` on "confident".
    """

    text: str
    terms: tuple[ExplainedTerm, ...]
    names: tuple[ExplainedName, ...]
    conditions: tuple[ExplainedCondition, ...]
    weights: dict[str, float]
    allowed: int
    candidates: int
    evidence: float
    likely_from: float
    confident_from: float


@dataclass(frozen=True, slots=True)
class SearchResponse:
    """The answer to one question.

    `answered` says how far the first result can be trusted to answer; with "none" the results are only
    the nearest passages. `generation` names the index that answered. `timings` are milliseconds by step. `total` is how
    many results all pages have together, at most 1,000.
    `notices` are to be shown above the results, whatever those are, in their order. `facets` are there where they
    were asked for. `correction` says what was repaired in the question. `reason` is a sentence, and only there with
    "none". `companion`, on the first page alone, is the section of the first article that says when to seek care, for a
    question about a symptom. It is never among the results as well: where it is one of the first three it is a result,
    else the companion. `explanation` is there where it was asked for.
    """

    question: str
    answered: Answered
    results: tuple[SearchResult, ...]
    generation: str
    timings: dict[str, float]
    notices: tuple[Notice, ...] = ()
    facets: Facets | None = None
    correction: Correction | None = None
    reason: str = ""
    companion: SearchResult | None = None
    total: int = 0
    explanation: QuestionExplanation | None = None

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, the same from the command line and the service."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """`text` is what a reader is shown and may ask for; `url` leads to the article or section, or asks the question."""

    text: str
    kind: SuggestionKind
    url: str


@dataclass(frozen=True, slots=True)
class RelatedResult:
    """What is near in meaning: an article or a section, by the passage of it that is nearest.

    `score` is a cosine: of the two passages, or, for an article, the mean of its passages with the other's direction.
    """

    rank: int
    score: float
    text: str
    citation: Citation


@dataclass(frozen=True, slots=True)
class RelatedResponse:
    """The nearest first; `generation` and `timings` as in a SearchResponse."""

    results: tuple[RelatedResult, ...]
    generation: str
    timings: dict[str, float]
