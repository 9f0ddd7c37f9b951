"""Given what a caller narrows a search to, that checked: of which articles passages may come."""

from __future__ import annotations

import re
from dataclasses import dataclass, fields
from datetime import date

from kb.arguments import check_text
from kb.errors import InvalidRequest

_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True, slots=True)
class Filters:
    """What must hold of an article, all of it; None asks for nothing, and a name that nothing bears leaves nothing.

    `article` is an id; `topic` one of its tags and `source` the host of its `url` (`nhs.uk`), in any case; `language`
    a BCP 47 tag or the beginning of one (`en` holds for `en-GB`); `updated_since` and `reviewed_since` dates
    (YYYY-MM-DD, that day included), which an article without such a date never meets.
    """

    article: str | None = None
    topic: str | None = None
    source: str | None = None
    language: str | None = None
    updated_since: str | None = None
    reviewed_since: str | None = None

    def __post_init__(self) -> None:
        """Raises InvalidRequest, which names the parameter, where a date is none, or another value no text."""
        for field in fields(self):
            check_text(field.name, getattr(self, field.name), optional=True)
        for name in ("updated_since", "reviewed_since"):
            value = getattr(self, name)
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
            getattr(self, field.name) is not None
            for field in fields(self)
            if field.name != "article"
        )


def speaks(language: str, wanted: str) -> bool:
    """Whether a language tag is `wanted` or begins with it, by whole subtags (RFC 4647, basic filtering)."""
    return f"{language}-".casefold().startswith(f"{wanted}-".casefold())


def _is_date(value: str) -> bool:
    try:
        return _DATE.fullmatch(value) is not None and bool(date.fromisoformat(value))
    except ValueError:
        return False
