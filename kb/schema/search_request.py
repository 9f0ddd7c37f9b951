"""A search as one value: the question and every option, with their defaults and limits.

Python, HTTP, the command line, the client and the page all pass this value to the engine. The HTTP model and the
options of the command line are made from its fields and their docstrings.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, fields
from typing import Annotated, Any, Literal, TypedDict, get_args

from kb.schema.arguments import check_choice, check_text
from kb.schema.errors import InvalidRequest
from kb.schema.filters import Filters, FilterValues, checked_values
from kb.schema.paging import MAX_DEPTH, MAX_LIMIT, check_page

Mode = Literal["hybrid", "keyword", "dense"]
"""What a question is ranked by."""

MODES: tuple[Mode, ...] = get_args(Mode)

Unit = Literal["passage", "section", "article"]
"""What a result is."""

UNITS: tuple[Unit, ...] = get_args(Unit)

OLDER_NAMES = {"tag": "topic"}
"""Older names of options that still work, and their present names."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """The minimum and maximum of a whole number, both allowed."""

    least: int
    most: int


Day = Annotated[str, "date"]
"""A date, YYYY-MM-DD."""


# No repr: a request contains a reader's question, and a repr ends up in logs.
@dataclass(frozen=True, slots=True, repr=False)
class SearchRequest:
    """One search. Making a request checks nothing; `check` does.

    If a filter has several values, any of them matches. A value that begins with `-` excludes. kb.schema.filters has
    the rules, and kb.question.operators the operators in a question.
    """

    question: str
    """What the reader wants to know, in plain words, at most 4,000 characters."""

    limit: Annotated[int, Bounds(1, MAX_LIMIT)] = 10
    """Maximum number of results."""

    offset: Annotated[int, Bounds(0, MAX_DEPTH - 1)] = 0
    """Number of results to skip; `offset + limit` is at most 1,000."""

    _: KW_ONLY

    mode: Mode = "hybrid"
    """Rank by words and meaning (hybrid), only by meaning (dense), or only by words (keyword). The mode keyword drops
    passages that contain none of the words.
    """

    group_by: Unit = "section"
    """What a result is: a section or an article, each shown by its best passage, or a passage."""

    article: FilterValues | None = None
    """Answer only from the article with this id."""

    topic: FilterValues | None = None
    """Answer only from articles with this topic, in upper or lower case."""

    source: FilterValues | None = None
    """Answer only from articles published at this host, such as nhs.uk."""

    language: FilterValues | None = None
    """Answer only from articles in this language, a BCP 47 tag; `en` includes `en-GB`."""

    updated_since: Day | None = None
    """Answer only from articles changed on this day (YYYY-MM-DD) or later."""

    reviewed_since: Day | None = None
    """Answer only from articles that a clinician reviewed on this day (YYYY-MM-DD) or later."""

    tag: FilterValues | None = None
    """An older name of `topic`."""

    facets: bool = False
    """Also list topics and sources to narrow the answer to."""

    exact: bool = False
    """Do not correct the spelling of the question."""

    explain: bool = False
    """Also explain how the question was understood. Results are always explained."""

    generation: str | None = None
    """Answer only from this generation of the index. All pages then belong to one list."""

    def check(self) -> Filters:
        """Check every option and return the filters. Raises InvalidRequest, which names the option.

        The length of the question is checked later, when the question is read.
        """
        check_text("question", self.question)
        check_page(self.limit, self.offset)
        check_choice("mode", self.mode, MODES)
        check_choice("group_by", self.group_by, UNITS)
        tags, topics = checked_values("tag", self.tag), checked_values("topic", self.topic)
        if tags is not None and topics is not None:
            raise InvalidRequest("tag", "tag is an older name of topic: give one of them.")
        return Filters(
            self.article,
            tags if topics is None else topics,
            self.source,
            self.language,
            self.updated_since,
            self.reviewed_since,
        )

    def given(self) -> dict[str, Any]:
        """The question and the options that differ from their defaults, by name. None means the default."""
        named = ((field.name, getattr(self, field.name), field.default) for field in fields(self))
        return {
            name: value for name, value, default in named if value is not None and value != default
        }


class NamedSearchOptions(TypedDict, total=False):
    """The options of SearchRequest that are passed by name, for signatures."""

    mode: Mode
    group_by: Unit
    article: FilterValues | None
    topic: FilterValues | None
    source: FilterValues | None
    language: FilterValues | None
    updated_since: Day | None
    reviewed_since: Day | None
    tag: FilterValues | None
    facets: bool
    exact: bool
    explain: bool
    generation: str | None


class SearchOptions(NamedSearchOptions, total=False):
    """All options of SearchRequest, the page included."""

    limit: int
    offset: int
