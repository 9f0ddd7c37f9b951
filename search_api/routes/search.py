"""Search by program: one question, the same in an address, or several at once."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query

from kb.compute.stopwatch import Stopwatch
from kb.schema.errors import InvalidRequest
from kb.schema.results import SearchResponse
from kb.schema.service import BatchResponse
from search_api.http.requests import given_once, require_json
from search_api.openapi import examples, links
from search_api.openapi.document import problem_responses
from search_api.routes.search_models import (
    MAX_BATCH_SEARCHES,
    BatchRequest,
    SearchBody,
    SearchQuery,
)
from search_api.state.live import Live

router = APIRouter()


@router.post(
    "/api/v1/search",
    tags=["search"],
    operation_id="search",
    summary="Answer a question",
    description="The sections that answer the question, best first, each with the passage word for"
    " word and a citation that can be checked. The question is not logged or stored.",
    response_description="The answer. If `answered` is `none`, only the nearest passages.",
    responses={
        **examples.ok(examples.SEARCH_RESPONSE, links.FROM_SEARCH),
        **problem_responses(400, 409, 413, 415, 422, 503),
    },
    dependencies=[Depends(require_json)],
)
def search(
    body: Annotated[SearchBody, Body(openapi_examples=examples.SEARCH_REQUESTS)], live: Live
) -> SearchResponse:
    return _answer(live, body)


@router.get(
    "/api/v1/search",
    tags=["search"],
    operation_id="searchByAddress",
    summary="Answer a question given in the address",
    description="The same answer as by POST, easier to try. Prefer POST: browsers keep addresses in"
    " their history, and proxies log them.",
    response_description="The answer.",
    responses={
        **examples.ok(examples.SEARCH_RESPONSE, links.FROM_SEARCH),
        **problem_responses(409, 422, 503),
    },
    dependencies=[given_once(SearchQuery)],
)
def search_by_address(query: Annotated[SearchQuery, Query()], live: Live) -> SearchResponse:
    return _answer(live, query)


def _answer(live: Live, asked: SearchBody | SearchQuery) -> SearchResponse:
    with live.use() as knowledge_base, asked.errors_by_alias():
        return knowledge_base.answer(asked.request())


@router.post(
    "/api/v1/search/batch",
    tags=["search"],
    operation_id="searchBatch",
    summary="Answer several questions",
    description=f"Up to {MAX_BATCH_SEARCHES} independent searches, all answered from one generation of the index."
    " If one is not valid, the error names it, and none is answered.",
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
                    answers.append(knowledge_base.answer(asked.request()))
            except InvalidRequest as error:
                raise InvalidRequest(f"searches.{number}.{error.field}", str(error)) from None
        watch.lap("search")
        return BatchResponse(tuple(answers), knowledge_base.generation, watch.total())
