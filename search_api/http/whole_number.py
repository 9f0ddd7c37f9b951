"""A field type for whole numbers in a range, checked with the messages of `kb` and described in OpenAPI."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from pydantic import BeforeValidator, GetCoreSchemaHandler, GetJsonSchemaHandler, ValidationInfo
from pydantic_core import CoreSchema, PydanticCustomError

from kb.schema.arguments import check_whole
from kb.schema.errors import InvalidRequest

OWN_MESSAGE = "own_message"
"""The type of pydantic's errors whose context holds the whole message."""

_IN_ADDRESS = re.compile(r"[-+]?[0-9]{1,20}(?:\.0+)?")


@dataclass(frozen=True, slots=True)
class WholeNumber:
    """The annotation of an `int` from `least` to `most`: `Annotated[int, WholeNumber(1, 100)]`.

    In JSON, 5.0 is a whole number too. In an address everything is text, so digits are a number. In a body, where the
    model is strict, they are not.
    """

    least: int
    most: int

    def __get_pydantic_core_schema__(self, _: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return BeforeValidator(self._check).__get_pydantic_core_schema__(int, handler)

    def __get_pydantic_json_schema__(
        self, schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        return {**handler(schema), "minimum": self.least, "maximum": self.most}

    def _check(self, value: object, info: ValidationInfo) -> object:
        strict = bool(info.config and info.config.get("strict"))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        elif isinstance(value, str) and not strict and _IN_ADDRESS.fullmatch(value.strip()):
            value = int(value.partition(".")[0])
        try:
            check_whole(info.field_name or "value", value, self.least, self.most)
        except InvalidRequest as error:
            raise PydanticCustomError(OWN_MESSAGE, "{message}", {"message": str(error)}) from None
        return value
