"""The list of the articles, as JSON."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from kb.knowledge_base import MAX_LIMIT
from kb.schema.service import ArticleList
from search_api.http.requests import given_once
from search_api.http.whole_number import WholeNumber
from search_api.openapi import examples, links
from search_api.openapi.document import problem_responses
from search_api.state.live import Live

MAX_ARTICLE_OFFSET = 1_000_000_000


class ListQuery(BaseModel):
    """Which page of the list of articles."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[
        int, WholeNumber(1, MAX_LIMIT), Field(description="Maximum number of articles.")
    ] = 100
    offset: Annotated[
        int,
        WholeNumber(0, MAX_ARTICLE_OFFSET),
        Field(description="Number of articles to skip."),
    ] = 0


router = APIRouter()


@router.get(
    "/api/v1/articles",
    tags=["articles"],
    operation_id="listArticles",
    summary="List the articles",
    description="The articles by title, without their text.",
    response_description="One page of the list, and the number of all articles.",
    responses={
        **examples.ok(examples.ARTICLE_LIST, links.FROM_ARTICLES),
        **problem_responses(422, 503),
    },
    dependencies=[given_once(ListQuery)],
)
def list_articles(query: Annotated[ListQuery, Query()], live: Live) -> ArticleList:
    with live.use() as knowledge_base:
        articles = knowledge_base.articles(query.limit, query.offset)
        return ArticleList(knowledge_base.article_count, tuple(articles))
