"""Given what pydantic found wrong, each field and a message that holds nothing of what was sent.

Pydantic's own errors carry the input, and the input may be a question. Only numbers are repeated.
What a question and a page of results may be is not checked here but in `kb`, which raises
`InvalidRequest`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_type_hints

from pydantic import BaseModel

UNKNOWN = "unknown"


def field_errors(
    found: Sequence[Mapping[str, Any]], accepted: Sequence[str]
) -> list[tuple[str, str]]:
    """`(field, message)` for each of pydantic's errors, in their order, each once.

    `accepted` are the fields that there are. A name that is none of them is never repeated: it may
    be the words of a question.
    """
    pairs = ((_field(entry), _message(entry, accepted)) for entry in found)
    return list(dict.fromkeys(pairs))


def accepted_fields(endpoint: Callable[..., Any]) -> list[str]:
    """The fields of the body or the query that a route declares as a model."""
    kinds = (kind for name, kind in get_type_hints(endpoint).items() if name != "return")
    models = (k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel))
    return [field for model in models for field in model.model_fields]


def _field(entry: Mapping[str, Any]) -> str:
    if entry["type"] == "extra_forbidden":
        return UNKNOWN
    _, *names = entry["loc"]  # the first says where: body, query or path
    return ".".join(map(str, names)) or "body"


def _message(entry: Mapping[str, Any], accepted: Sequence[str]) -> str:
    value, context = entry.get("input"), entry.get("ctx", {})
    match entry["type"]:
        case "missing":
            return "This is required."
        case "extra_forbidden":
            return f"A field was sent that is not known here. The fields are {_list(accepted)}."
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


def _list(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _number(value: object) -> str:
    try:
        return f"{int(str(value)):,}" if len(str(value)) <= 20 else "too long a number"
    except ValueError:
        return "out of range"
