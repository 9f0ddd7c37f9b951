"""Error messages for wrong tool arguments, each with a remedy.

Arguments and their names may contain words of a question, so no message repeats them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from difflib import get_close_matches
from typing import Any

Schema = Mapping[str, Any]


def no_such_tool(name: str, known: Collection[str]) -> str:
    """For a tool that does not exist."""
    return f"There is no tool with that name.{_hint([name], known)} The tools are {_list(known)}."


def unknown_arguments(tool: str, schema: Schema, given: Collection[str]) -> str:
    """For arguments that the tool does not have. Empty if it has them all."""
    known = schema["properties"]
    others = [name for name in given if name not in known]
    if not others:
        return ""
    required = schema.get("required", ())
    missing = [name for name in required if name not in given]
    takes = [f"{name} (required)" if name in required else name for name in known]
    hint = _hint(others, known) or (f" Did you mean {missing[0]}?" if missing else "")
    return f"{tool} has no such argument.{hint} It takes {_list(takes)}."


def wrong_arguments(schema: Schema, found: Iterable[Mapping[str, Any]]) -> str:
    """For arguments that are missing, of a wrong type or out of bounds. `found` are pydantic's errors."""
    properties, said = schema["properties"], dict[str, str]()
    for error in found:
        name = str(error["loc"][0])
        accepted = _accepted(properties[name])
        said[name] = (
            f"{name} is required: {accepted}."
            if error["type"] == "missing"
            else f"{name} must be {accepted}."
        )
    return " ".join(said.values())


def _accepted(field: Schema) -> str:
    """What the JSON schema of a field accepts, in words."""
    kinds = [_kind(each) for each in field.get("anyOf", [field]) if each.get("type") != "null"]
    return " or ".join(kinds)


def _kind(schema: Schema) -> str:
    match schema:
        case {"type": "integer", "minimum": least, "maximum": most}:
            return f"a whole number from {least:,} to {most:,}"
        case {"type": "array"}:
            return "a list of texts"
        case _:
            return "text"


def _hint(names: Iterable[str], known: Collection[str]) -> str:
    """A hint at the known name that is most similar to one of `names`, if any is."""
    near = [each for name in names for each in get_close_matches(name, known, n=1)]
    return f" Did you mean {near[0]}?" if near else ""


def _list(names: Collection[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} and {last}" if others else last
