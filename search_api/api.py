"""Given a request of a program, JSON: the list of articles and health; and what the routes share."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from pydantic.dataclasses import dataclass
from starlette.exceptions import HTTPException

from kb.article import ArticleSummary
from kb.errors import IndexUnusable, InvalidRequest
from kb.knowledge_base import MAX_LIMIT
from search_api import examples, links
from search_api.live import LiveIndex
from search_api.openapi import problem_responses
from search_api.problems import index_remedy

MAX_ARTICLE_OFFSET = 1_000_000_000


class ListQuery(BaseModel):
    """Which page of the list of articles."""

    model_config = ConfigDict(extra="forbid")

    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT, description="How many articles at most.")] = 100
    offset: Annotated[
        int, Field(ge=0, le=MAX_ARTICLE_OFFSET, description="How many articles to leave out.")
    ] = 0


@dataclass(frozen=True)
class ArticleList:
    """One page of the list of articles."""

    total: int
    articles: list[ArticleSummary]


@dataclass(frozen=True)
class Health:
    """What is being served. `degraded`: the newest index does not open, and an older one answers."""

    status: Literal["ok", "degraded"]
    generation: str
    created: str
    model: str
    articles: int
    sections: int
    passages: int
    reason: str | None


def live_index(request: Request) -> LiveIndex:
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


@router.get(
    "/api/v1/articles",
    tags=["articles"],
    operation_id="listArticles",
    summary="List the articles",
    description="The articles by title, without their text.",
    response_description="One page of the list, and how many articles there are.",
    responses={
        **examples.ok(examples.ARTICLE_LIST, links.FROM_ARTICLES),
        **problem_responses(422, 503),
    },
    dependencies=[given_once(ListQuery)],
)
def list_articles(query: Annotated[ListQuery, Query()], live: Live) -> ArticleList:
    with live.use() as knowledge_base:
        articles = knowledge_base.articles(query.limit, query.offset)
        return ArticleList(knowledge_base.article_count, articles)


@router.head("/healthz", include_in_schema=False)  # what balancers ask
@router.get(
    "/healthz",
    tags=["operation"],
    operation_id="health",
    summary="Say what is being served",
    description="200 while questions can be answered, 503 while no index can be served.",
    response_description="The generation that answers, and its size.",
    responses={**examples.ok(examples.HEALTH), **problem_responses(503)},
)
def health(live: Live) -> Health:
    with live.use() as knowledge_base:
        failure = live.failure
        return Health(
            status="degraded" if failure else "ok",
            generation=knowledge_base.generation,
            created=knowledge_base.manifest.created,
            model=knowledge_base.manifest.model.name,
            articles=knowledge_base.article_count,
            sections=knowledge_base.section_count,
            passages=knowledge_base.passage_count,
            reason=_why_degraded(failure) if failure else None,
        )


def _why_degraded(failure: IndexUnusable) -> str:
    return f"An older index answers in place of the newest. {index_remedy(failure)}"
