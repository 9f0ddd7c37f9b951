"""The parameters of a search over HTTP, made from the fields of SearchRequest.

The length of a question is checked by `kb`, with the same message as on the command line. Here it is only in the
OpenAPI document.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    WithJsonSchema,
    create_model,
)
from pydantic_core import PydanticCustomError

from kb.knowledge_base import MAX_QUESTION_CHARS
from kb.schema.attribute_docs import attribute_docs
from kb.schema.filters import MAX_VALUES, FilterValues
from kb.schema.paging import MAX_LIMIT
from kb.schema.search_request import OLDER_NAMES, Bounds, Day, SearchRequest
from search_api.http.aliased_text import (
    AliasedText,
    Text,
    one_required,
    other_alias,
    usual_alias,
    valid_unicode,
)
from search_api.http.whole_number import WholeNumber
from search_api.openapi import examples

MAX_BATCH_SEARCHES = 20
"""Maximum number of searches in one batch."""

Limit = Annotated[int, WholeNumber(1, MAX_LIMIT), Field(description="Maximum number of results.")]
Generation = Annotated[
    Text | None,
    Field(
        description="The `generation` of the first page, so that all pages belong to one list."
        " 409 if another generation of the index answers now."
    ),
]

_SEVERAL = (
    "With several values, any of them matches. A value that begins with `-` excludes. Write `\\` before one that"
    " begins with `-` or `\\`."
)
_DATE: dict[str, JsonValue] = {"format": "date", "examples": ["2026-01-31"]}
_QUESTION = {
    "minLength": 1,
    "maxLength": MAX_QUESTION_CHARS,
    "pattern": r"[^\s\x00-\x1f\x7f-\x9f]",
    "example": examples.QUESTION,
}

M = TypeVar("M", bound=BaseModel)


def _as_list(value: object) -> object:
    """A single text as a list of one."""
    if value is None or isinstance(value, list):
        return value
    if isinstance(value, str):
        return [valid_unicode(value)]
    raise PydanticCustomError("texts_type", "neither text nor a list")


Values = Annotated[
    list[Text] | None,
    BeforeValidator(_as_list),
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


def with_search_options(name: str) -> Callable[[type[M]], type[M]]:
    """Give a model every option of SearchRequest as a field. The OpenAPI document calls the model `name`."""

    def extended(model: type[M]) -> type[M]:
        return create_model(
            name,
            __base__=model,
            __doc__=model.__doc__,
            __module__=model.__module__,
            **OPTION_FIELDS,
        )

    return extended


def _option_fields() -> dict[str, Any]:
    """The type, description and default of each option, as create_model takes them."""
    docs = attribute_docs(SearchRequest)
    hints = get_type_hints(SearchRequest, include_extras=True)
    return {
        field.name: (_http_type(field.name, hints[field.name], docs[field.name]), field.default)
        for field in fields(SearchRequest)
        if field.name != "question"
    }


def _http_type(name: str, hint: Any, doc: str) -> Any:
    """The type of an option over HTTP, with its description."""
    extra: dict[str, JsonValue] = {"deprecated": True} if name in OLDER_NAMES else {}
    if name == "generation":
        return Generation
    if hint == FilterValues | None:
        described = doc if extra else f"{doc} {_SEVERAL}"
        return Annotated[Values, Field(description=described, json_schema_extra=extra)]
    if hint == Day | None:
        return Annotated[Text | None, Field(description=doc, json_schema_extra=_DATE)]
    if get_origin(hint) is Annotated:
        kind, bounds = get_args(hint)
        if isinstance(bounds, Bounds):
            return Annotated[kind, WholeNumber(bounds.least, bounds.most), Field(description=doc)]
    return Annotated[hint, Field(description=doc)]


OPTION_FIELDS = _option_fields()


class _Search(AliasedText):
    def request(self) -> SearchRequest:
        """The search for the engine. Nothing of it is checked here."""
        return SearchRequest(
            self.sent_text, **{name: getattr(self, name) for name in OPTION_FIELDS}
        )


@with_search_options("SearchRequest")
class SearchBody(_Search):
    """A question, the page of its results, and what to narrow it to."""

    model_config = ConfigDict(
        extra="forbid", strict=True, json_schema_extra=one_required("question", "q")
    )
    aliases = ("question", "q")

    question: Text = usual_alias(
        'What the reader wants to know, in plain words. It may contain `"a phrase"`, `-word`,'
        " `title:word`, `heading:word` and `begin*`. Everything else is plain text.",
        _QUESTION,
    )
    q: Text = other_alias("question", _QUESTION)


@with_search_options("SearchQuery")
class SearchQuery(_Search):
    """A search in an address."""

    model_config = ConfigDict(extra="forbid")
    aliases = ("q", "question")

    q: Text = usual_alias(
        "What the reader wants to know, as `question` by POST. Browsers and proxies keep"
        " addresses; POST keeps the question out of them.",
        _QUESTION,
    )
    question: Text = other_alias("q", _QUESTION)


class BatchRequest(BaseModel):
    """Several independent searches."""

    model_config = ConfigDict(extra="forbid", strict=True)

    searches: Annotated[
        list[SearchBody],
        Field(min_length=1, max_length=MAX_BATCH_SEARCHES, description="The searches."),
    ]
