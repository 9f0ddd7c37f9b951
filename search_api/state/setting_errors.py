"""Error messages for settings: what is accepted, in plain words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic.fields import FieldInfo

_NUMBERS = {int: "a whole number", float: "a number"}


def accepted(error: Mapping[str, Any], field: FieldInfo) -> str:
    """One clause: `it must be ...`, or the message of our own validator."""
    context = error.get("ctx", {})
    kind = next((name for kind, name in _NUMBERS.items() if field.annotation is kind), None)
    if kind is not None:
        return f"it must be {kind}{_bounds(field)}"
    match error["type"]:
        case "literal_error":
            return f"it must be {context['expected']}"
        case "string_too_short":
            return "it must not be empty"
        case "value_error":
            return str(context["error"])
        case _:
            return str(error["msg"])


def _bounds(field: FieldInfo) -> str:
    """The range of a number. Every number among the settings has a minimum and a maximum."""
    least = next(each.ge for each in field.metadata if hasattr(each, "ge"))
    most = next(each.le for each in field.metadata if hasattr(each, "le"))
    return f" from {least:,} to {most:,}"
