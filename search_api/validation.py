"""Given what pydantic found wrong, each field and a message that holds nothing of what was sent.

Pydantic's own errors carry the input, and the input may be a question. Only numbers are repeated.
What a question and a page of results may be is not checked here but in `kb`, which raises
`InvalidRequest`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

UNKNOWN = "unknown"

_NO_NUMBER = "It must be a whole number."
_NO_SWITCH = "It must be true or false."
_NO_OBJECT = "It must be a JSON object."
_FIXED = {
    "missing": "This is required.",
    "string_type": "It must be text.",
    "string_unicode": "It holds characters that are not valid Unicode (lone surrogates).",
    "int_type": _NO_NUMBER,
    "int_parsing": _NO_NUMBER,
    "int_from_float": _NO_NUMBER,
    "int_parsing_size": _NO_NUMBER,
    "bool_type": _NO_SWITCH,
    "bool_parsing": _NO_SWITCH,
    "list_type": "It must be a list.",
    "texts_type": "It must be text, or a list of texts.",
    "model_attributes_type": _NO_OBJECT,
    "model_type": _NO_OBJECT,
    "dict_type": _NO_OBJECT,
}
"""What is said of pydantic's kinds of errors that say no more."""


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
    kinds = [kind for name, kind in get_type_hints(endpoint).items() if name != "return"]
    return list(dict.fromkeys(_fields_of(kinds)))


def _fields_of(kinds: Iterable[Any]) -> Iterator[str]:
    """The fields of the models among some types, and of the models that those hold."""
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from kind.model_fields
            yield from _fields_of(field.annotation for field in kind.model_fields.values())
        else:
            yield from _fields_of(get_args(kind))


def _field(entry: Mapping[str, Any]) -> str:
    if entry["type"] == "extra_forbidden":
        return UNKNOWN
    _, *names = entry["loc"]  # the first says where: body, query or path
    return ".".join(map(str, names)) or "body"


def _message(entry: Mapping[str, Any], accepted: Sequence[str]) -> str:
    value, context = entry.get("input"), entry.get("ctx", {})
    match entry["type"]:
        case "extra_forbidden":
            return f"A field was sent that is not known here. The fields are {_list(accepted)}."
        case "literal_error":
            return f"It must be {context['expected']}."
        case "too_short":
            return f"It has {context['actual_length']:,} entries; the least is {context['min_length']:,}."
        case "too_long":
            return f"It has {context['actual_length']:,} entries; the most is {context['max_length']:,}."
        case "greater_than_equal":
            return f"It is {_number(value)}; the least is {context['ge']:,}."
        case "less_than_equal":
            return f"It is {_number(value)}; the most is {context['le']:,}."
        case "not_whole":
            least, most = context["least"], context["most"]
            return f"It is {value}; it must be a whole number from {least:,} to {most:,}."
        case kind:
            return _FIXED.get(kind, "It is not valid.")


def _list(names: Sequence[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last


def _number(value: object) -> str:
    try:
        return f"{int(str(value)):,}" if len(str(value)) <= 20 else "too long a number"
    except ValueError:
        return "out of range"
