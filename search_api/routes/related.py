"""The articles nearest in meaning to an article, or the sections nearest to a passage."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from kb.schema.errors import InvalidRequest
from kb.schema.results import RelatedResponse
from search_api.http.requests import given_once
from search_api.http.whole_number import WholeNumber
from search_api.openapi import examples, links
from search_api.openapi.document import problem_responses
from search_api.routes.search_models import Generation, Limit
from search_api.state.live import Live

Start = Annotated[int, WholeNumber(0, 1_000_000_000)]

router = APIRouter()


class RelatedQuery(BaseModel):
    """An article or a passage, to find what is near in meaning."""

    model_config = ConfigDict(extra="forbid")

    article: Annotated[
        str, Field(description="The article's id.", examples=[examples.ARTICLE["id"]])
    ]
    section: Annotated[
        str | None,
        Field(description="To find what is near to a passage: the id of its section."),
    ] = None
    start: Annotated[
        Start | None,
        Field(
            description="The start of the passage, or any offset in it, in code points of its section. The default is"
            " 0. Only with `section`.",
        ),
    ] = None
    limit: Limit = 10
    generation: Generation = None


@router.get(
    "/api/v1/related",
    tags=["search"],
    operation_id="related",
    summary="Find what is near in meaning",
    description="For an article: other articles. For a passage, given by the `section_id` and `start` of its citation:"
    " other sections, including those of the same article. The nearest come first, each with its nearest passage.",
    response_description="The articles or sections that are near. The list may be empty.",
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
            "start is an offset in a section: also give the section's id as section, or leave start out.",
        )
    with live.use() as knowledge_base:
        return knowledge_base.related(
            query.article,
            query.section,
            query.start or 0,
            query.limit,
            generation=query.generation,
        )
