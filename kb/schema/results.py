"""Search responses: ranked passages with citations.

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
    """A contiguous part of a section's text, in code points, the end exclusive."""

    text: str
    """The text of the part."""
    start: int
    """Start of the part in the text of the section."""
    end: int
    """End of the part."""


@dataclass(frozen=True, slots=True)
class Citation:
    """A verifiable pointer: `quote` is `start` to `end` of the section's text, word for word."""

    article_id: str
    """The article's id."""
    article_title: str
    """The article's title, or its id where it has none."""
    section_id: str
    """The section's id, unique within the article."""
    section_heading: str
    """The section's heading; empty for the text above the first heading."""
    url: str
    """The article's page here, with the section's anchor."""
    source_url: str
    """The publisher's page, or empty."""
    quote: str
    """The passage, word for word."""
    start: int
    """Start of the passage in the text of the section, in code points."""
    end: int
    """End of the passage, exclusive."""
    updated: str | None = None
    """When the article was last changed: ISO 8601 date, or null if none is known."""
    reviewed: str | None = None
    """When a clinician reviewed the article: ISO 8601 date, or null if none is known."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """What each ranker contributed. The score is the sum of `keyword`, `dense`, `sentence`, `name`, `focus`, `wording`,
    `subject` and `kind`."""

    keyword: float
    """Contribution of the words that question and passage share."""
    dense: float
    """Contribution of the passage's meaning."""
    sentence: float
    """Contribution of the meaning of the passage's nearest sentence."""
    name: float
    """Contribution of the article's title or nearest alias."""
    focus: float
    """Contribution of the words that question and title or alias share."""
    wording: float
    """Contribution of a sentence that has the question's wording."""
    keyword_score: float
    """BM25F divided by the upper bound of the question, 0 to 1."""
    passage_cosine: float
    """Cosine of question and passage, -1 to 1."""
    sentence_cosine: float
    """Cosine of question and nearest sentence, -1 to 1."""
    name_cosine: float
    """Cosine of question and the nearest of title and aliases, -1 to 1."""
    name_matched: str
    """The nearest title or alias."""
    focus_share: float
    """Share of words that the question has in common with the title or an alias, 0 to 1."""
    wording_share: float
    """How far one sentence of the passage has the question's words, in its order, 0 to 1."""
    terms: dict[str, float]
    """The matched terms, each with its share of `keyword`."""
    subject: float = 0.0
    """Added so that each of several subjects in one question is shown. Usually 0."""
    kind: float = 0.0
    """Added so that an article's section of the requested kind comes first. Usually 0."""


@dataclass(frozen=True, slots=True)
class SectionLink:
    """A link to a section."""

    section_id: str
    """The section's id."""
    section_heading: str
    """The section's heading; empty for the text above the first heading."""
    url: str
    """The section's page here, with its anchor."""


@dataclass(frozen=True, slots=True)
class SearchResult:
    """One section, by its best passage."""

    rank: int
    """Position in the list, from 1 over all pages; 0 for a companion."""
    score: float
    """How well the passage answers, at most 1: the sum of the contributions in `explanation`. A passage with nothing in
    common with the question scores about 0 or less."""
    text: str
    """The whole passage, word for word."""
    snippet: Snippet
    """The part of the passage that answers."""
    highlights: tuple[tuple[int, int], ...]
    """The matched words, each as [start, end] in the text of the section."""
    citation: Citation
    """The location of the passage."""
    explanation: Explanation
    """What each ranker contributed, in numbers."""
    why: str = ""
    """Why this result is here, in words."""
    also: tuple[SectionLink, ...] = ()
    """Up to three other sections of the same article that rank lower."""


@dataclass(frozen=True, slots=True)
class Correction:
    """Corrected spelling of the question. The option `exact` turns it off."""

    text: str
    """The whole question as searched for."""
    changes: tuple[tuple[str, str], ...]
    """Each corrected word, as [typed, used]."""


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What a minus in the question left out."""

    words: tuple[str, ...]
    """The excluded words, phrases and beginnings, as typed."""
    question: str
    """The same question with nothing left out, to ask instead."""


@dataclass(frozen=True, slots=True)
class Link:
    """A public page."""

    title: str
    """The page's name."""
    url: str
    """The page's address."""


NoticeKind = Literal["emergency", "conditional"]
"""`emergency`: the question's words name one. `conditional`: its meaning comes near to one, so the text says "if"."""


@dataclass(frozen=True, slots=True)
class Notice:
    """A fixed text of the publisher, chosen by rules and not by ranking."""

    id: str
    """The notice's id."""
    title: str
    """The subject of the notice, in a few words."""
    text: str
    """What to do, in two or three sentences."""
    links: tuple[Link, ...]
    """Public pages where the text can be checked."""
    kind: NoticeKind = "emergency"
    """`emergency` where the question's words brought it, `conditional` where its meaning did: show that one milder."""


@dataclass(frozen=True, slots=True)
class FacetValue:
    """One topic or source."""

    name: str
    """The topic or source. To use a name that begins with `-` or `\\` as a filter, put `\\` in front."""
    articles: int
    """Number of the counted articles with this topic or source."""


@dataclass(frozen=True, slots=True)
class Facets:
    """Topics and sources of the articles of the first 50 sections, most common first. Sections that score less than
    half of the best are left out."""

    topics: tuple[FacetValue, ...]
    """Values for the filter `topic`."""
    sources: tuple[FacetValue, ...]
    """Values for the filter `source`: hosts of the publishers' pages."""


@dataclass(frozen=True, slots=True)
class ExplainedTerm:
    """A term of the question."""

    term: str
    """The stem, as in the index."""
    passages: int
    """Number of passages that contain the term."""
    idf: float
    """The weight of the term: its inverse document frequency."""


@dataclass(frozen=True, slots=True)
class ExplainedName:
    """A name in the question."""

    name: str
    """The name as it was typed."""
    others: tuple[str, ...]
    """The other names that were also searched for, as terms."""


@dataclass(frozen=True, slots=True)
class ExplainedCondition:
    """An operator of the question."""

    kind: str
    """`phrase` (of one or more words) or `prefix`."""
    text: str
    """The words of the phrase, or the prefix."""
    field: str | None
    """`title` or `heading` if the operator names one, otherwise null."""
    negated: bool
    """Whether matching passages are excluded."""
    expansions: tuple[str, ...]
    """The terms that begin with the prefix, at most 64."""


@dataclass(frozen=True, slots=True)
class QuestionExplanation:
    """How a question was understood and answered."""

    text: str
    """The text used for ranking: the question with corrected spelling, without operator signs and excluded words."""
    terms: tuple[ExplainedTerm, ...]
    """The terms of the question."""
    names: tuple[ExplainedName, ...]
    """Names in the question that the library also knows under other names."""
    conditions: tuple[ExplainedCondition, ...]
    """The operators of the question."""
    weights: dict[str, float]
    """Weight of each of the six signals."""
    allowed: int
    """Number of passages that passed filters and operators."""
    candidates: int
    """Number of these passages that were ranked."""
    evidence: float
    """The number that decides `answered`."""
    lead: float
    """How much higher the first section scores than the second. It counts three times towards `confident`, up to .1."""
    likely_from: float
    """Evidence from which an answer is `likely`, in a library of this size."""
    confident_from: float
    """Evidence, with three times `lead`, from which an answer is `confident`."""


@dataclass(frozen=True, slots=True)
class SearchResponse:
    """The answer to one question."""

    question: str
    """The question as it was sent."""
    answered: Answered
    """How likely the first result answers the question. With `none`, the results are only the nearest passages."""
    results: tuple[SearchResult, ...]
    """The best passage of each section, best first. With `group_by`, of each article, or all passages."""
    generation: str
    """The id of the index generation that answered."""
    timings: dict[str, float]
    """Milliseconds by step."""
    notices: tuple[Notice, ...] = ()
    """Fixed notices for a question that sounds like an emergency. Show them above the results, in their order."""
    facets: Facets | None = None
    """Topics and sources to narrow the search to, if `facets` was requested, otherwise null."""
    correction: Correction | None = None
    """What was searched for instead of what was typed; null if nothing was corrected."""
    reason: str = ""
    """With `none`, one sentence that says why. Otherwise empty."""
    companion: SearchResult | None = None
    """For a question about a symptom, the section of the first result's article that says when to seek care. Null if
    there is none, if it is one of the first three results, and on later pages. Its `rank` is 0."""
    total: int = 0
    """Number of results on all pages, at most 1,000."""
    explanation: QuestionExplanation | None = None
    """How the question was understood, if `explain` was requested, otherwise null."""
    excluded: Exclusion | None = None
    """What a minus left out, and the question that leaves nothing out. Null if the question has no minus."""

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, the same from the command line and the service."""
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Suggestion:
    """One completion of a text."""

    text: str
    """The text to show: a title, `alias: title`, `title › heading`, or a question."""
    kind: SuggestionKind
    """`article`, `section`, or `question` for a title or alias that can be asked as it is."""
    url: str
    """The page of the article or section. For a question, the page that answers it."""


@dataclass(frozen=True, slots=True)
class RelatedResult:
    """An article or a section, by its nearest passage."""

    rank: int
    """Position in the list, from 1."""
    score: float
    """Cosine of the two passages. For an article, the mean cosine of its passages with the other article."""
    text: str
    """The passage, word for word."""
    citation: Citation
    """The location of the passage."""


@dataclass(frozen=True, slots=True)
class RelatedResponse:
    """Articles or sections that are near in meaning."""

    results: tuple[RelatedResult, ...]
    """The nearest first."""
    generation: str
    """The id of the index generation that answered."""
    timings: dict[str, float]
    """Milliseconds by step."""
