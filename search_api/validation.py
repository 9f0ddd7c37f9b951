"""Given what pydantic found wrong, each field and a message that holds nothing of what was sent.

Pydantic's own errors carry the input, and the input may be a question. Only numbers are repeated.
What a question and a page of results may be is not checked here but in `kb`, which raises
`InvalidRequest`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,39}")


def field_errors(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """`(field, message)` for each of pydantic's errors, in their order."""
    return [(_field(entry), _message(entry)) for entry in found]


def _field(entry: Mapping[str, Any]) -> str:
    names = [str(part) for part in entry["loc"] if part not in ("body", "query", "path")]
    if not names:
        return "body"
    name = ".".join(names)
    # A question sent in the place of a name must not come back either.
    return name if _PLAIN_NAME.fullmatch(name) else "unknown"


def _message(entry: Mapping[str, Any]) -> str:
    value, context = entry.get("input"), entry.get("ctx", {})
    match entry["type"]:
        case "missing":
            return "This is required."
        case "extra_forbidden":
            return "There is no field of that name."
        case "string_type":
            return "It must be text."
        case "string_unicode":
            return "It holds characters that are not valid Unicode (lone surrogates)."
        case "int_type" | "int_parsing" | "int_from_float" | "int_parsing_size":
            return "It must be a whole number."
        case "greater_than_equal":
            return f"It is {_number(value)}; the least is {context['ge']:,}."
        case "less_than_equal":
            return f"It is {_number(value)}; the most is {context['le']:,}."
        case "model_attributes_type" | "model_type" | "dict_type":
            return "It must be a JSON object."
        case _:
            return "It is not valid."


def _number(value: object) -> str:
    try:
        return f"{int(str(value)):,}" if len(str(value)) <= 20 else "too long a number"
    except ValueError:
        return "out of range"
