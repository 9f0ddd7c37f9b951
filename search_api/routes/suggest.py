"""Completions of what is being typed."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Body, Depends, Query
from pydantic import BaseModel, ConfigDict, Field

from kb.compute.stopwatch import Stopwatch
from kb.knowledge_base import MAX_QUESTION_CHARS
from kb.question.suggestions import MAX_SUGGESTIONS
from kb.schema.service import SuggestionList
from search_api.http.aliased_text import (
    AliasedText,
    Text,
    one_required,
    other_alias,
    usual_alias,
)
from search_api.http.requests import given_once, require_json
from search_api.http.whole_number import WholeNumber
from search_api.openapi import examples, links
from search_api.openapi.document import problem_responses
from search_api.state.live import Live

_IN_THE_BOX = "The text in the box so far. If it is blank or has more than 16 words, there are no suggestions."
_BEGINNING = {"maxLength": MAX_QUESTION_CHARS, "example": examples.HALF_TYPED_TEXT}

router = APIRouter()


class _Suggested(BaseModel):
    limit: Annotated[
        int, WholeNumber(1, MAX_SUGGESTIONS), Field(description="Maximum number of suggestions.")
    ] = 8


class _Typed(AliasedText):
    aliases = ("text", "question", "q")

    text: Text = usual_alias(_IN_THE_BOX, _BEGINNING)
    question: Text = other_alias("text", _BEGINNING)
    q: Text = other_alias("text", _BEGINNING)


class SuggestRequest(_Suggested, _Typed):
    """What a reader has typed so far."""

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
    """What a reader has typed so far, in an address."""

    model_config = ConfigDict(extra="forbid")


@router.post(
    "/api/v1/suggest",
    tags=["search"],
    operation_id="suggest",
    summary="Complete what is being typed",
    description="Articles, sections and questions that complete the text, best first. Small slips are forgiven."
    " Suggestions come only from titles, aliases and headings, and are fast enough for every key press.",
    response_description="The suggestions, and the generation of their articles.",
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
    description="The same as by POST, easier to try. Prefer POST: addresses stay in browser histories and in the logs"
    " of proxies.",
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
