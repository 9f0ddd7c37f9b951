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
"""Filters that take several values."""

MAX_VALUES = 50
"""Maximum number of values of one filter."""

_EXCLUDES = "-"
_ESCAPES = "\\"
_DATES = ("updated_since", "reviewed_since")
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Choice:
    """The values of one filter. An article must have one of `included`, unless empty, and none of `excluded`."""

    included: frozenset[str]
    excluded: frozenset[str]


@dataclass(frozen=True, slots=True)
class Filters:
    """Conditions on an article, all of which must hold. None is no condition. An unknown name matches nothing.

    `article` is an id. `topic` is one of the tags and `source` the host of the `url` (`nhs.uk`), both in any case.
    `language` is a BCP 47 tag or the beginning of one (`en` includes `en-GB`). Each takes one text or up to 50. One of
    them must match, and none that begins with `-` may match (`-children`). Write `\\` before a value that itself begins
    with `-` or `\\`. An empty collection is no condition.

    `updated_since` and `reviewed_since` are dates (YYYY-MM-DD, that day included). An article without the date never
    matches.
    """

    article: FilterValues | None = None
    topic: FilterValues | None = None
    source: FilterValues | None = None
    language: FilterValues | None = None
    updated_since: str | None = None
    reviewed_since: str | None = None

    def __post_init__(self) -> None:
        """Raises InvalidRequest, which names the parameter, for a date that is not one, or a value that is not text."""
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
        """Whether there is any condition."""
        return self.article is not None or self.need_catalogue

    @property
    def need_catalogue(self) -> bool:
        """Whether there is a condition other than the article."""
        return any(
            getattr(self, name) is not None for name in (*MANY_VALUED, *_DATES) if name != "article"
        )

    def choice(self, name: str) -> Choice | None:
        """The values of a filter that takes several, or None if it is no condition."""
        values: FilterValues | None = getattr(self, name)
        if values is None:
            return None
        each = (values,) if isinstance(values, str) else values
        return Choice(
            frozenset(_unescaped(value) for value in each if not is_exclusion(value)),
            frozenset(value.removeprefix(_EXCLUDES) for value in each if is_exclusion(value)),
        )


def checked_values(field: str, values: FilterValues | None) -> str | tuple[str, ...] | None:
    """The checked values of a filter, None for none. Raises InvalidRequest, which names `field`."""
    check_texts(field, values, MAX_VALUES)
    if values is None or isinstance(values, str):
        return values
    return tuple(values) or None


def is_exclusion(value: str) -> bool:
    """Whether a filter's value excludes."""
    return value.startswith(_EXCLUDES)


def including(name: str) -> str:
    """The filter value that includes exactly this name, whatever it begins with."""
    return f"{_ESCAPES}{name}" if name.startswith((_EXCLUDES, _ESCAPES)) else name


def name_in(value: str) -> str:
    """The name that a filter value includes or excludes."""
    return value.removeprefix(_EXCLUDES) if is_exclusion(value) else _unescaped(value)


def speaks(language: str, wanted: str) -> bool:
    """Whether a language tag is `wanted` or begins with it, in whole subtags (RFC 4647, basic filtering)."""
    return f"{language}-".casefold().startswith(f"{wanted}-".casefold())


def _unescaped(value: str) -> str:
    return value.removeprefix(_ESCAPES)


def _is_date(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False
