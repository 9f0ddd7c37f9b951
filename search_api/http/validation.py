"""Pydantic's validation errors as field names and messages. Of what was sent, only numbers are repeated.

Pydantic's own errors carry the input, and the input may be a question. So may the name of an unknown field:
`near_names` decides which names may be repeated. The length of a question is checked in `kb`, which raises
`InvalidRequest`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, get_args, get_type_hints

from pydantic import BaseModel

from search_api.http.near_names import near_to, slip_of
from search_api.http.whole_number import OWN_MESSAGE

UNKNOWN_FIELD = "unknown"
MISPLACED_TYPE = "misplaced"
"""The error type of a parameter in an address that takes none."""

_NO_SWITCH = "It must be true or false."
_NO_OBJECT = "It must be a JSON object."
_FIXED = {
    "missing": "This is required.",
    "string_type": "It must be text.",
    "string_unicode": "It holds characters that are not valid Unicode (lone surrogates).",
    "bool_type": _NO_SWITCH,
    "bool_parsing": _NO_SWITCH,
    "list_type": "It must be a list.",
    "texts_type": "It must be text, or a list of texts.",
    "model_attributes_type": _NO_OBJECT,
    "model_type": _NO_OBJECT,
    "dict_type": _NO_OBJECT,
}
"""Messages for pydantic's error types."""


def field_errors(
    found: Sequence[Mapping[str, Any]], endpoint: Callable[..., Any]
) -> list[tuple[str, str]]:
    """`(field, message)` for each of pydantic's errors, in their order, each once.

    An unknown name is repeated if it is a slip of a known one beside it. Otherwise the field is `unknown`.
    """
    return list(dict.fromkeys(_field_error(entry, endpoint) for entry in found))


def accepted_fields(endpoint: Callable[..., Any], place: Sequence[str | int] = ()) -> list[str]:
    """The fields that a route's endpoint declares as models, of its body or query, or at a place within those."""
    models = list(_models([kind for name, kind in _hints(endpoint) if name != "return"]))
    for step in place:
        if isinstance(step, str):
            inner = [model.model_fields[step] for model in models if step in model.model_fields]
            models = list(_models(field.annotation for field in inner))
    return list(dict.fromkeys(name for model in models for name in model.model_fields))


def _hints(endpoint: Callable[..., Any]) -> Iterable[tuple[str, Any]]:
    return get_type_hints(endpoint).items()


def _models(kinds: Iterable[Any]) -> Iterator[type[BaseModel]]:
    """The models among some types, and within generic types."""
    for kind in kinds:
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield kind
        else:
            yield from _models(get_args(kind))


def _field_error(entry: Mapping[str, Any], endpoint: Callable[..., Any]) -> tuple[str, str]:
    _, *place = entry["loc"]  # the first says where: body, query or path
    match entry["type"]:
        case "extra_forbidden":
            return _unknown(place, accepted_fields(endpoint, place[:-1]))
        case kind if kind == MISPLACED_TYPE:
            return _misplaced(str(place[-1]), accepted_fields(endpoint))
    if named := entry.get("ctx", {}).get("field"):
        place = [*place, named]
    field = ".".join(map(str, place))
    return field or "body", _message(entry, str(place[-1]) if place else "body")


def _unknown(place: Sequence[str | int], known: Sequence[str]) -> tuple[str, str]:
    """The error for an unknown name in a place where `known` ones belong."""
    name = str(place[-1])
    if meant := slip_of(name, known):
        field = ".".join(map(str, place))
        return field, f"{name} is not known here: did you mean {meant}? {_fields(known)}"
    near = near_to(name, known)
    hint = f" Did you mean {near}?" if near else ""
    return UNKNOWN_FIELD, f"A field was sent that is not known here.{hint} {_fields(known)}"


def _misplaced(name: str, in_body: Sequence[str]) -> tuple[str, str]:
    """The error for a name in an address that takes none."""
    if name in in_body:
        return name, f"{name} belongs in the body: parameters in the address are not accepted here."
    return UNKNOWN_FIELD, "A parameter was sent in the address, where none are accepted here."


def _message(entry: Mapping[str, Any], name: str) -> str:
    context = entry.get("ctx", {})
    match entry["type"]:
        case "literal_error":
            return f"It must be {context['expected']}.{_meant(entry.get('input'), context['expected'])}"
        case "too_short":
            return f"{_entries(name, context)} at least {context['min_length']:,}."
        case "too_long":
            return f"{_entries(name, context)} at most {context['max_length']:,}."
        case kind if kind == OWN_MESSAGE:
            return str(context["message"])
        case kind:
            return _FIXED.get(kind, "It is not valid.")


def _entries(name: str, context: Mapping[str, Any]) -> str:
    return f"{name} has {context['actual_length']:,} entries; it must have"


def _meant(value: object, expected: str) -> str:
    """A hint at the expected value that another is like. The other value is not repeated."""
    near = near_to(value, re.findall(r"'([^']*)'", expected)) if isinstance(value, str) else None
    return f" Did you mean '{near}'?" if near else ""


def _fields(names: Sequence[str]) -> str:
    *others, last = names
    return f"The fields are {', '.join(others)} and {last}." if others else f"The field is {last}."
