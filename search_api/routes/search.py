"""Given a question of a program, or a place to go on from, JSON: search, batches, what is related, suggestions.

How long a question may be is checked by `kb`, with the same words as on the command line; here it only stands in the
OpenAPI document.
"""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, WithJsonSchema
from pydantic_core import PydanticCustomError

from kb.compute.stopwatch import Stopwatch
from kb.knowledge_base import MAX_DEPTH, MAX_LIMIT, MAX_QUESTION_CHARS
from kb.question.suggestions import MAX_SUGGESTIONS
from kb.ranking.fusion import Mode
from kb.ranking.ranking import Unit
from kb.schema.errors import InvalidRequest
from kb.schema.filters import MAX_VALUES
from kb.schema.results import RelatedResponse, SearchResponse
from kb.schema.service import BatchResponse, SuggestionList
from search_api.http.aliased_text import (
    AliasedText,
    Text,
    one_required,
    other_alias,
    usual_alias,
    valid_unicode,
)
from search_api.http.requests import given_once, require_json
from search_api.http.whole_number import WholeNumber
from search_api.openapi import examples, links
from search_api.openapi.document import problem_responses
from search_api.state.live import Live

MAX_BATCH = 20

_NOT_BLANK = r"[^\s\x00-\x1f\x7f-\x9f]"
_IN_THE_BOX = "What stands in the box so far. Blank, or more than 16 words: no suggestions."
_BEGINNING = {"maxLength": MAX_QUESTION_CHARS, "example": examples.BEGINNING}
_QUESTION = {
    "minLength": 1,
    "maxLength": MAX_QUESTION_CHARS,
    "pattern": _NOT_BLANK,
    "example": examples.QUESTION,
}
_DATE = {"format": "date", "examples": ["2026-01-31"]}


def _listed(value: object) -> object:
    """One text is a list of one."""
    if value is None or isinstance(value, list):
        return value
    if isinstance(value, str):
        return [valid_unicode(value)]
    raise PydanticCustomError("texts_type", "neither text nor a list")


Values = Annotated[
    list[Text] | None,
    BeforeValidator(_listed),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": "string"},
                {"type": "array", "items": {"type": "string"}, "maxItems": MAX_VALUES},
                {"type": "null"},
            ]
        }
    ),
]
_SEVERAL = (
    "Several are any of these, but none that begins with `-`; a value that begins with `-` or `\\` itself is written"
    " with a `\\` in front."
)
Limit = Annotated[int, WholeNumber(1, MAX_LIMIT), Field(description="How many results at most.")]
Start = Annotated[int, WholeNumber(0, 1_000_000_000)]
Generation = Annotated[
    Text | None,
    Field(
        description="The `generation` of the first page, so that all pages are of one list: 409 where another"
        " generation of the index answers now."
    ),
]


class SearchOptions(BaseModel):
    """What may be said about a search beside its question."""

    limit: Limit = 10
    offset: Annotated[
        int,
        WholeNumber(0, MAX_DEPTH - 1),
        Field(
            description=f"How many results to leave out. `offset + limit` is at most {MAX_DEPTH:,}."
        ),
    ] = 0
    generation: Generation = None
    mode: Annotated[
        Mode,
        Field(
            description="`hybrid` ranks by words and meaning, `keyword` by words alone (what holds none of them is"
            " left out), `dense` by meaning alone. Operators and filters hold in each."
        ),
    ] = "hybrid"
    group_by: Annotated[
        Unit,
        Field(
            description="What a result is: a `section` or an `article`, by its best passage, or a `passage`."
        ),
    ] = "section"
    article: Annotated[
        Values, Field(description=f"Answer from the article of this id alone. {_SEVERAL}")
    ] = None
    topic: Annotated[
        Values,
        Field(description=f"Answer from articles with this topic alone, in any case. {_SEVERAL}"),
    ] = None
    source: Annotated[
        Values,
        Field(
            description="Answer from articles whose publisher's page is at this host alone, as `nhs.uk`."
            f" {_SEVERAL}"
        ),
    ] = None
    language: Annotated[
        Values,
        Field(
            description="Answer from articles in this language alone, a BCP 47 tag; `en` holds for `en-GB`."
            f" {_SEVERAL}"
        ),
    ] = None
    updated_since: Annotated[
        Text | None,
        Field(
            description="Answer from articles changed on this day or later alone.",
            json_schema_extra=_DATE,
        ),
    ] = None
    reviewed_since: Annotated[
        Text | None,
        Field(
            description="Answer from articles that a clinician reviewed on this day or later alone.",
            json_schema_extra=_DATE,
        ),
    ] = None
    tag: Annotated[
        Values,
        Field(description="An older name of `topic`.", json_schema_extra={"deprecated": True}),
    ] = None
    facets: Annotated[
        bool,
        Field(description="Say also which topics and sources the answer could be narrowed to."),
    ] = False
    exact: Annotated[bool, Field(description="Leave the spelling of the question as it is.")] = (
        False
    )
    explain: Annotated[
        bool,
        Field(
            description="Say also how the question was understood; results are always explained."
        ),
    ] = False


class _Asked(AliasedText):
    aliases = ("question", "q")

    question: Text = usual_alias(
        'What the reader wants to know, in plain words. It may hold `"a phrase"`, `-word`,'
        " `title:word`, `heading:word` and `begin*`; everything else is plain text.",
        _QUESTION,
    )
    q: Text = other_alias("question", _QUESTION)


class SearchRequest(SearchOptions, _Asked):
    """A question, which page of its results, and what to narrow it to."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra=one_required("question", "q")
    )


class _AskedByAddress(AliasedText):
    aliases = ("q", "question")

    q: Text = usual_alias(
        "What the reader wants to know, as `question` by POST. Browsers and proxies keep"
        " addresses; POST keeps the question out of them.",
        _QUESTION,
    )
    question: Text = other_alias("q", _QUESTION)


class SearchQuery(SearchOptions, _AskedByAddress):
    """The same in an address."""

    model_config = ConfigDict(extra="forbid")


class BatchRequest(BaseModel):
    """Several searches, each as it would be asked alone."""

    model_config = ConfigDict(extra="forbid", strict=True)

    searches: Annotated[
        list[SearchRequest],
        Field(min_length=1, max_length=MAX_BATCH, description="The searches."),
    ]


class RelatedQuery(BaseModel):
    """An article, or a passage of it, to find what is near."""

    model_config = ConfigDict(extra="forbid")

    article: Annotated[
        str, Field(description="The article's id.", examples=[examples.ARTICLE["id"]])
    ]
    section: Annotated[
        str | None,
        Field(description="For what is near to a passage: the id of the section it stands in."),
    ] = None
    start: Annotated[
        Start | None,
        Field(
            description="Where the passage begins, or any place in it, in code points of its section; 0 where it is"
            " left out. Only with `section`.",
        ),
    ] = None
    limit: Limit = 10
    generation: Generation = None


class _Suggested(BaseModel):
    limit: Annotated[
        int, WholeNumber(1, MAX_SUGGESTIONS), Field(description="How many suggestions at most.")
    ] = 8


class _Typed(AliasedText):
    aliases = ("text", "question", "q")

    text: Text = usual_alias(_IN_THE_BOX, _BEGINNING)
    question: Text = other_alias("text", _BEGINNING)
    q: Text = other_alias("text", _BEGINNING)


class SuggestRequest(_Suggested, _Typed):
    """What somebody has typed so far."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra=one_required(*_Typed.aliases)
    )


class _TypedByAddress(AliasedText):
    aliases = ("q", "question", "text")

    q: Text = usual_alias(
        f"{_IN_THE_BOX} Browsers and proxies keep addresses; POST keeps the text out of them.",
        _BEGINNING,
    )
    question: Text = other_alias("q", _BEGINNING)
    text: Text = other_alias("q", _BEGINNING)


class SuggestQuery(_Suggested, _TypedByAddress):
    """The same in an address."""

    model_config = ConfigDict(extra="forbid")


router = APIRouter()


@router.post(
    "/api/v1/search",
    tags=["search"],
    operation_id="search",
    summary="Answer a question",
    description="The sections that answer the question, best first, each with the passage word for"
    " word and a citation that can be checked. Nothing of the question is logged or kept.",
    response_description="The answer. Where `answered` is `none`, only the nearest passages.",
    responses={
        **examples.ok(examples.SEARCH_RESPONSE, links.FROM_SEARCH),
        **problem_responses(400, 409, 413, 415, 422, 503),
    },
    dependencies=[Depends(require_json)],
)
def search(
    body: Annotated[SearchRequest, Body(openapi_examples=examples.SEARCH_REQUESTS)], live: Live
) -> SearchResponse:
    return _answer(live, body)


@router.get(
    "/api/v1/search",
    tags=["search"],
    operation_id="searchByAddress",
    summary="Answer a question given in the address",
    description="The same answer as by POST, easier to try. Prefer POST: addresses stand in"
    " histories and in the logs of proxies.",
    response_description="The answer.",
    responses={
        **examples.ok(examples.SEARCH_RESPONSE, links.FROM_SEARCH),
        **problem_responses(409, 422, 503),
    },
    dependencies=[given_once(SearchQuery)],
)
def search_by_address(query: Annotated[SearchQuery, Query()], live: Live) -> SearchResponse:
    return _answer(live, query)


def _answer(live: Live, wanted: SearchRequest | SearchQuery) -> SearchResponse:
    with live.use() as knowledge_base, wanted.errors_by_alias():
        return knowledge_base.search(wanted.sent_text, **_chosen(wanted))


def _chosen(options: SearchOptions) -> dict[str, Any]:
    return {name: getattr(options, name) for name in SearchOptions.model_fields}


@router.post(
    "/api/v1/search/batch",
    tags=["search"],
    operation_id="searchBatch",
    summary="Answer several questions",
    description=f"Up to {MAX_BATCH} searches, each answered as it would be alone, all from one generation of the"
    " index. One that is not valid is named in the error, and none is answered.",
    response_description="The answers in the order of the searches.",
    responses={
        **examples.ok(examples.BATCH_RESPONSE, links.FROM_BATCH),
        **problem_responses(400, 409, 413, 415, 422, 503),
    },
    dependencies=[Depends(require_json)],
)
def search_batch(
    body: Annotated[BatchRequest, Body(openapi_examples=examples.BATCH_REQUESTS)], live: Live
) -> BatchResponse:
    watch = Stopwatch()
    answers = []
    with live.use() as knowledge_base:
        for number, asked in enumerate(body.searches):
            try:
                with asked.errors_by_alias():
                    answers.append(knowledge_base.search(asked.sent_text, **_chosen(asked)))
            except InvalidRequest as error:
                raise InvalidRequest(f"searches.{number}.{error.field}", str(error)) from None
        watch.lap("search")
        return BatchResponse(tuple(answers), knowledge_base.generation, watch.total())


@router.get(
    "/api/v1/related",
    tags=["search"],
    operation_id="related",
    summary="Find what is near in meaning",
    description="To an article: other articles. To a passage, by the `section_id` and `start` of its citation: other"
    " sections, of the same article too. Nearest first, each by its nearest passage, word for word.",
    response_description="What is near; nothing where nothing is.",
    responses={
        **examples.ok(examples.RELATED, links.FROM_RELATED),
        **problem_responses(404, 409, 422, 503),
    },
    dependencies=[given_once(RelatedQuery)],
)
def related(query: Annotated[RelatedQuery, Query()], live: Live) -> RelatedResponse:
    if query.start is not None and query.section is None:
        raise InvalidRequest(
            "start",
            "start is a place in a section: give the section's id as section, or leave it out.",
        )
    with live.use() as knowledge_base:
        return knowledge_base.near(
            query.article,
            query.section,
            query.start or 0,
            query.limit,
            generation=query.generation,
        )


@router.post(
    "/api/v1/suggest",
    tags=["search"],
    operation_id="suggest",
    summary="Complete what is being typed",
    description="Articles, sections and questions that the beginning of a text may become, best first; small slips are"
    " forgiven. Made of titles, aliases and headings alone, and quick enough for every key press.",
    response_description="The suggestions, and the generation whose articles they lead to.",
    responses={
        **examples.ok(examples.SUGGESTIONS, links.FROM_SUGGEST),
        **problem_responses(400, 413, 415, 422, 503),
    },
    dependencies=[Depends(require_json)],
)
def suggest(
    body: Annotated[SuggestRequest, Body(openapi_examples=examples.SUGGEST_REQUESTS)], live: Live
) -> SuggestionList:
    return _suggestions(live, body)


@router.get(
    "/api/v1/suggest",
    tags=["search"],
    operation_id="suggestByAddress",
    summary="Complete what is given in the address",
    description="The same as by POST, easier to try. Prefer POST: addresses stand in histories and in the logs of"
    " proxies.",
    response_description="The suggestions.",
    responses={
        **examples.ok(examples.SUGGESTIONS, links.FROM_SUGGEST),
        **problem_responses(422, 503),
    },
    dependencies=[given_once(SuggestQuery)],
)
def suggest_by_address(query: Annotated[SuggestQuery, Query()], live: Live) -> SuggestionList:
    return _suggestions(live, query)


def _suggestions(live: Live, typed: SuggestRequest | SuggestQuery) -> SuggestionList:
    watch = Stopwatch()
    with live.use() as knowledge_base, typed.errors_by_alias():
        suggestions = knowledge_base.suggest(typed.sent_text, typed.limit)
        watch.lap("suggest")
        return SuggestionList(suggestions, knowledge_base.generation, watch.total())
