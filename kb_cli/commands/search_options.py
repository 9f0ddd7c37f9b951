"""The options of `kb search`, made from the fields of SearchRequest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Annotated, Any, Literal, get_args, get_origin, get_type_hints

import click

from kb.schema.attribute_docs import attribute_docs
from kb.schema.filters import FilterValues
from kb.schema.search_request import OLDER_NAMES, Bounds, SearchRequest

Command = Callable[..., Any]

_NOT_OPTIONS = {"question", "facets", "generation", *OLDER_NAMES}
"""Fields without an option: the argument itself, and what only makes sense for a page or a program."""

_NOTES = {"explain": "Printed with --json."}


def search_options(command: Command) -> Command:
    """Give a command an option for each field of SearchRequest, under the field's name."""
    docs = attribute_docs(SearchRequest)
    hints = get_type_hints(SearchRequest, include_extras=True)
    for field in reversed(fields(SearchRequest)):  # click lists the last one applied first
        if field.name not in _NOT_OPTIONS:
            help_text = " ".join(filter(None, (docs[field.name], _NOTES.get(field.name))))
            command = _option(field.name, hints[field.name], field.default, help_text)(command)
    return command


def _option(name: str, hint: Any, default: Any, help_text: str) -> Callable[[Command], Command]:
    flag = f"--{name.replace('_', '-')}"
    if hint is bool:
        return click.option(flag, is_flag=True, help=help_text)
    if hint == FilterValues | None:
        several = "Repeatable: any of them matches. -VALUE excludes."
        return click.option(flag, multiple=True, help=f"{help_text} {several}")
    if get_origin(hint) is Literal:
        choices = click.Choice(get_args(hint))
        return click.option(flag, type=choices, default=default, show_default=True, help=help_text)
    if get_origin(hint) is Annotated:
        kind, bounds = get_args(hint)
        if isinstance(bounds, Bounds):
            limits = f"From {bounds.least} to {bounds.most:,}."
            return click.option(
                flag, type=kind, default=default, show_default=True, help=f"{help_text} {limits}"
            )
    return click.option(flag, default=default, help=help_text)
