"""Given a question, or the beginning of one, under any name that it goes by, the text and the name that was used.

`question` in a body and `q` in an address are the usual names; either is understood in both, since that is the slip
made most. The OpenAPI document says so of each, and keeps the usual one as the one that is required.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from kb.schema.errors import InvalidRequest
from search_api.http.whole import STATED

_IN_KB = ("question", "text")
"""What the domain's errors call it."""

REQUIRED = "x-required"
"""Marks the parameter that the OpenAPI document makes a required one. It is no field that pydantic requires."""


def valid_unicode(text: str | None) -> str | None:
    """JSON can hold lone surrogates, which no answer could repeat."""
    if text and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise PydanticCustomError("string_unicode", "lone surrogates")
    return text


Text = Annotated[str, AfterValidator(valid_unicode)]


class Asked(BaseModel):
    """A model with a text under one of `names`, all of which are its fields; the first is the usual one."""

    names: ClassVar[tuple[str, ...]]

    @property
    def asked_as(self) -> str:
        """The name that was used."""
        return next(name for name in self.names if name in self.model_fields_set)

    @property
    def asked(self) -> str:
        """The text."""
        text: str = getattr(self, self.asked_as)
        return text

    @model_validator(mode="after")
    def _once(self) -> Self:
        given = [name for name in self.names if name in self.model_fields_set]
        if not given:
            raise PydanticCustomError("missing", "missing", {"field": self.names[0]})
        if len({getattr(self, name) for name in given}) > 1:
            message = f"{' and '.join(given)} are names of the same, and differ here: send one."
            raise PydanticCustomError(STATED, "{message}", {"message": message, "field": given[-1]})
        return self

    @contextmanager
    def named_as_asked(self) -> Iterator[None]:
        """Let an InvalidRequest about the text name it as the client did."""
        try:
            yield
        except InvalidRequest as error:
            if error.field not in _IN_KB:
                raise
            raise InvalidRequest(self.asked_as, str(error)) from None


def usual(description: str, schema: dict[str, Any]) -> Any:
    """The field of the usual name. In an address the document has it as required."""
    return Field(
        default_factory=str, description=description, json_schema_extra={**schema, REQUIRED: True}
    )


def other_name(of: str, schema: dict[str, Any]) -> Any:
    """The field of another name."""
    described = {name: value for name, value in schema.items() if name != "example"}
    return Field(
        default_factory=str,
        description=f"Another name of `{of}`: send either.",
        json_schema_extra=described,
    )


def one_of(*names: str) -> dict[str, Any]:
    """What the schema of a body says of them."""
    return {"anyOf": [{"required": [name]} for name in names]}
