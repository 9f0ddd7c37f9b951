"""Given a request of a program, JSON: search and articles."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Path, Query, Request
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass
from pydantic_core import PydanticCustomError
from starlette.exceptions import HTTPException

from kb.article import Article, ArticleSummary
from kb.errors import InvalidRequest
from kb.knowledge_base import MAX_DEPTH, MAX_LIMIT, MAX_QUESTION_CHARS
from kb.results import SearchResponse
from kb.suggest import MAX_SUGGESTIONS, Suggestion
from search_api import examples
from search_api.live import LiveIndex
from search_api.openapi import problem_responses

MAX_ARTICLE_OFFSET = 1_000_000_000

# The bounds of a search are checked by `kb`, with the same words as on the command line; here they
# only stand in the OpenAPI document.
_QUESTION_BOUNDS = {"minLength": 1, "maxLength": MAX_QUESTION_CHARS}
_LIMIT_BOUNDS = {"minimum": 1, "maximum": MAX_LIMIT}
_OFFSET_BOUNDS = {"minimum": 0, "maximum": MAX_DEPTH - 1}
_OFFSET_HELP = f"How many results to leave out. `offset + limit` is at most {MAX_DEPTH:,}."

_TAG_HELP = "Answer from articles of this topic alone."
_SOURCE_HELP = "Answer from articles whose publisher's page is at this host alone, as `nhs.uk`."
_EXACT_HELP = "Leave the spelling of the question as it is."
_FACETS_HELP = "Say also which topics and sources the answer could be narrowed to."


def _valid_unicode(text: str | None) -> str | None:
    """JSON can hold lone surrogates, which no answer could repeat."""
    if text and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise PydanticCustomError("string_unicode", "lone surrogates")
    return text


class SearchRequest(BaseModel):
    """A question, and which page of its results."""

    model_config = ConfigDict(extra="forbid")

    question: Annotated[
        str,
        AfterValidator(_valid_unicode),
        Field(
            description="What the reader wants to know, in plain words.",
            json_schema_extra={**_QUESTION_BOUNDS, "example": examples.QUESTION},
        ),
    ]
    limit: Annotated[
        int,
        Field(
            strict=True, description="How many results at most.", json_schema_extra=_LIMIT_BOUNDS
        ),
    ] = 10
    offset: Annotated[
        int, Field(strict=True, description=_OFFSET_HELP, json_schema_extra=_OFFSET_BOUNDS)
    ] = 0
    tag: Annotated[str | None, AfterValidator(_valid_unicode), Field(description=_TAG_HELP)] = None
    source: Annotated[
        str | None, AfterValidator(_valid_unicode), Field(description=_SOURCE_HELP)
    ] = None
    facets: Annotated[bool, Field(strict=True, description=_FACETS_HELP)] = False
    exact: Annotated[bool, Field(strict=True, description=_EXACT_HELP)] = False


class SearchQuery(BaseModel):
    """The same in an address."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        str,
        Field(
            description="What the reader wants to know, in plain words. Browsers and proxies keep"
            " addresses; POST keeps the question out of them.",
            json_schema_extra={**_QUESTION_BOUNDS, "example": examples.QUESTION},
        ),
    ]
    limit: Annotated[
        int, Field(description="How many results at most.", json_schema_extra=_LIMIT_BOUNDS)
    ] = 10
    offset: Annotated[int, Field(description=_OFFSET_HELP, json_schema_extra=_OFFSET_BOUNDS)] = 0
    tag: Annotated[str | None, Field(description=_TAG_HELP)] = None
    source: Annotated[str | None, Field(description=_SOURCE_HELP)] = None
    facets: Annotated[bool, Field(description=_FACETS_HELP)] = False
    exact: Annotated[bool, Field(description=_EXACT_HELP)] = False


class SuggestQuery(BaseModel):
    """What somebody has typed so far."""

    model_config = ConfigDict(extra="forbid")

    q: Annotated[
        str,
        Field(
            description="What stands in the box so far. Blank, or more than 16 words: no suggestions.",
            json_schema_extra={"maxLength": MAX_QUESTION_CHARS, "example": examples.BEGINNING},
        ),
    ]
    limit: Annotated[
        int,
        Field(
            description="How many suggestions at most.",
            json_schema_extra={"minimum": 1, "maximum": MAX_SUGGESTIONS},
        ),
    ] = 8


class ListQuery(BaseModel):
    """Which page of the list of articles."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many articles at most.")] = 100
    offset: Annotated[
        int, Field(ge=0, le=MAX_ARTICLE_OFFSET, description="How many articles to leave out.")
    ] = 0


@dataclass(frozen=True)
class SuggestionList:
    """What a text may become."""

    suggestions: tuple[Suggestion, ...]
    generation: str


@dataclass(frozen=True)
class ArticleList:
    """One page of the list of articles."""

    total: int
    articles: list[ArticleSummary]


async def live_index(request: Request) -> LiveIndex:
    """The index of this application."""
    live: LiveIndex = request.app.state.live
    return live


Live = Annotated[LiveIndex, Depends(live_index)]


def require_json(request: Request) -> None:
    """Refuse a body of another type by 415, so that no form of a foreign site can post one."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        raise HTTPException(415, "Send the body as JSON, with Content-Type: application/json.")


def given_once(parameters: type[BaseModel]) -> Any:
    """Refuse by 422 a parameter that an address gives twice: which one was meant, nobody knows."""

    def check(request: Request) -> None:
        for name in parameters.model_fields:
            if len(request.query_params.getlist(name)) > 1:
                raise InvalidRequest(name, f"{name} is given more than once; give it once.")

    return Depends(check)


router = APIRouter()


@router.post(
    "/api/v1/search",
    tags=["search"],
    operation_id="search",
    summary="Answer a question",
    description="The sections that answer the question, best first, each with the passage word for"
    " word and a citation that can be checked.",
    response_description="The answer. Where `answered` is `none`, only the nearest passages.",
    responses={
        **examples.ok(examples.SEARCH_RESPONSE),
        **problem_responses(400, 413, 415, 422, 503),
    },
    dependencies=[Depends(require_json)],
)
def search(
    body: Annotated[SearchRequest, Body(openapi_examples=examples.SEARCH_REQUESTS)], live: Live
) -> SearchResponse:
    return _answer(live, body.question, body)


@router.get(
    "/api/v1/search",
    tags=["search"],
    operation_id="searchByAddress",
    summary="Answer a question given in the address",
    description="The same answer as by POST, easier to try. Prefer POST: addresses stand in"
    " histories and in the logs of proxies.",
    response_description="The answer.",
    responses={**examples.ok(examples.SEARCH_RESPONSE), **problem_responses(422, 503)},
    dependencies=[given_once(SearchQuery)],
)
def search_by_address(query: Annotated[SearchQuery, Query()], live: Live) -> SearchResponse:
    return _answer(live, query.q, query)


def _answer(live: LiveIndex, question: str, asked: SearchRequest | SearchQuery) -> SearchResponse:
    with live.use() as knowledge_base:
        return knowledge_base.search(
            question,
            asked.limit,
            asked.offset,
            tag=asked.tag,
            source=asked.source,
            facets=asked.facets,
            exact=asked.exact,
        )


@router.get(
    "/api/v1/suggest",
    tags=["search"],
    operation_id="suggest",
    summary="Complete what is being typed",
    description="Articles, sections and questions that the beginning of a text may become, best first; small slips are"
    " forgiven. Made of titles, aliases and headings alone, and quick enough for every key press.",
    response_description="The suggestions, and the generation whose articles they lead to.",
    responses={**examples.ok(examples.SUGGESTIONS), **problem_responses(422, 503)},
    dependencies=[given_once(SuggestQuery)],
)
def suggest(query: Annotated[SuggestQuery, Query()], live: Live) -> SuggestionList:
    with live.use() as knowledge_base:
        suggestions = knowledge_base.suggest(query.q, query.limit)
        return SuggestionList(suggestions, knowledge_base.generation)


@router.get(
    "/api/v1/articles",
    tags=["articles"],
    operation_id="listArticles",
    summary="List the articles",
    description="The articles by title, without their text.",
    response_description="One page of the list, and how many articles there are.",
    responses={**examples.ok(examples.ARTICLE_LIST), **problem_responses(422, 503)},
    dependencies=[given_once(ListQuery)],
)
def list_articles(query: Annotated[ListQuery, Query()], live: Live) -> ArticleList:
    with live.use() as knowledge_base:
        articles = knowledge_base.articles(query.limit, query.offset)
        return ArticleList(knowledge_base.article_count, articles)


@router.get(
    "/api/v1/articles/{article_id:path}",
    tags=["articles"],
    operation_id="readArticle",
    summary="Read an article",
    description="The article with all its sections. `start` and `end` of a citation count code"
    " points in the `text` of the section it names.",
    response_description="The article.",
    responses={**examples.ok(examples.ARTICLE), **problem_responses(404, 422, 503)},
)
def read_article(
    article_id: Annotated[
        str,
        Path(
            description="The article's id, percent-encoded; it may hold a slash.",
            examples=[examples.ARTICLE["id"]],
        ),
    ],
    live: Live,
) -> Article:
    with live.use() as knowledge_base:
        return knowledge_base.article(article_id)
