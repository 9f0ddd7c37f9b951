"""A text that a request may send under one of several field names.

`question` in a body and `q` in an address are the usual names. Either is accepted in both, since mixing them up is the
most common slip. The OpenAPI document describes every name, and shows the usual one as required.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Any, ClassVar, Self

from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from kb.schema.errors import InvalidRequest
from search_api.http.whole_number import OWN_MESSAGE

_DOMAIN_NAMES = ("question", "text")
"""Names of the text in errors of `kb`."""

REQUIRED_MARK = "x-required"
"""Marks the parameter that the OpenAPI document shows as required. Pydantic does not require it."""


def valid_unicode(text: str | None) -> str | None:
    """Refuse lone surrogates: JSON can hold them, and no response could repeat them."""
    if text and any("\ud800" <= letter <= "\udfff" for letter in text):
        raise PydanticCustomError("string_unicode", "lone surrogates")
    return text


Text = Annotated[str, AfterValidator(valid_unicode)]


class AliasedText(BaseModel):
    """A model with one text in any of its fields `aliases`. The first is the usual name."""

    aliases: ClassVar[tuple[str, ...]]

    @property
    def alias_used(self) -> str:
        """The name under which the client sent the text."""
        return next(name for name in self.aliases if name in self.model_fields_set)

    @property
    def sent_text(self) -> str:
        """The text, under whichever name it was sent."""
        text: str = getattr(self, self.alias_used)
        return text

    @model_validator(mode="after")
    def _sent_once(self) -> Self:
        given = [name for name in self.aliases if name in self.model_fields_set]
        if not given:
            raise PydanticCustomError("missing", "missing", {"field": self.aliases[0]})
        if len({getattr(self, name) for name in given}) > 1:
            message = (
                f"{' and '.join(given)} are names of the same text, but differ here: send one."
            )
            context = {"message": message, "field": given[-1]}
            raise PydanticCustomError(OWN_MESSAGE, "{message}", context)
        return self

    @contextmanager
    def errors_by_alias(self) -> Iterator[None]:
        """Within the block, an InvalidRequest about the text names the field that the client used."""
        try:
            yield
        except InvalidRequest as error:
            if error.field not in _DOMAIN_NAMES:
                raise
            raise InvalidRequest(self.alias_used, str(error)) from None


def usual_alias(description: str, schema: dict[str, Any]) -> Any:
    """The field of the usual name. In an address, the OpenAPI document shows it as required."""
    return Field(
        default_factory=str,
        description=description,
        json_schema_extra={**schema, REQUIRED_MARK: True},
    )


def other_alias(of: str, schema: dict[str, Any]) -> Any:
    """The field of another name."""
    described = {name: value for name, value in schema.items() if name != "example"}
    return Field(
        default_factory=str,
        description=f"Another name of `{of}`: send either.",
        json_schema_extra=described,
    )


def one_required(*names: str) -> dict[str, Any]:
    """The schema of a body in which one of these fields is required."""
    return {"anyOf": [{"required": [name]} for name in names]}
