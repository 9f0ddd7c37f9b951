"""Filters: the articles that a search may answer from."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from kb.schema.arguments import check_text, check_texts
from kb.schema.errors import InvalidRequest

FilterValues = str | Collection[str]
"""One value of a filter, or several of them in any order."""

MANY_VALUED = ("article", "topic", "source", "language")
"""The filters that take several values."""

MAX_VALUES = 50
"""Maximum number of values of one filter."""

_EXCLUDES = "-"
_ESCAPES = "\\"
_DATES = ("updated_since", "reviewed_since")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Choice:
    """The values of one filter: an article must have any of `included`, where there are some, none of `excluded`."""

    included: frozenset[str]
    excluded: frozenset[str]


@dataclass(frozen=True, slots=True)
class Filters:
    """What must hold of an article, all of it; None asks for nothing, and a name that nothing bears leaves nothing.

    `article` is an id; `topic` one of its tags and `source` the host of its `url` (`nhs.uk`), in any case; `language`
    a BCP 47 tag or the beginning of one (`en` holds for `en-GB`). Each of these is a text or several, at most 50: any
    of them will do, but what begins with `-` must not hold (`-children`). A value that itself begins with `-` or `\\`
    is written with a `\\` in front. No values at all ask for nothing.

    `updated_since` and `reviewed_since` are dates (YYYY-MM-DD, that day included), which an article without such a
    date never meets.
    """

    article: FilterValues | None = None
    topic: FilterValues | None = None
    source: FilterValues | None = None
    language: FilterValues | None = None
    updated_since: str | None = None
    reviewed_since: str | None = None

    def __post_init__(self) -> None:
        """Raises InvalidRequest, which names the parameter, where a date is none, or another value no text."""
        for name in MANY_VALUED:
            object.__setattr__(self, name, checked_values(name, getattr(self, name)))
        for name in _DATES:
            value = getattr(self, name)
            check_text(name, value, optional=True)
            if value is not None and not _is_date(value):
                raise InvalidRequest(
                    name, f"{name} is not a date: write it as YYYY-MM-DD, such as 2026-01-31."
                )

    @property
    def narrow(self) -> bool:
        """Whether anything is asked for."""
        return self.article is not None or self.need_catalogue

    @property
    def need_catalogue(self) -> bool:
        """Whether anything but the article is asked for."""
        return any(
            getattr(self, name) is not None for name in (*MANY_VALUED, *_DATES) if name != "article"
        )

    def choice(self, name: str) -> Choice | None:
        """The values of a filter that takes several, or None where it asks for nothing."""
        values: FilterValues | None = getattr(self, name)
        if values is None:
            return None
        each = (values,) if isinstance(values, str) else values
        return Choice(
            frozenset(_unescaped(value) for value in each if not is_exclusion(value)),
            frozenset(value.removeprefix(_EXCLUDES) for value in each if is_exclusion(value)),
        )


def checked_values(field: str, values: FilterValues | None) -> str | tuple[str, ...] | None:
    """The values of a filter as they stay; None for none. Raises InvalidRequest, which names `field`."""
    check_texts(field, values, MAX_VALUES)
    if values is None or isinstance(values, str):
        return values
    return tuple(values) or None


def is_exclusion(value: str) -> bool:
    """Whether a filter's value says what must not hold."""
    return value.startswith(_EXCLUDES)


def including(name: str) -> str:
    """The value that asks for just this name, whatever it begins with."""
    return f"{_ESCAPES}{name}" if name.startswith((_EXCLUDES, _ESCAPES)) else name


def name_in(value: str) -> str:
    """The name that a value asks for or excludes."""
    return value.removeprefix(_EXCLUDES) if is_exclusion(value) else _unescaped(value)


def speaks(language: str, wanted: str) -> bool:
    """Whether a language tag is `wanted` or begins with it, by whole subtags (RFC 4647, basic filtering)."""
    return f"{language}-".casefold().startswith(f"{wanted}-".casefold())


def _unescaped(value: str) -> str:
    return value.removeprefix(_ESCAPES)


def _is_date(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False
