"""Entity tags, and the conditions `If-Match` and `If-None-Match` that name them: RFC 9110, 8.8.3 and 13.1."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.schema.errors import InvalidRequest

ANY_TAG = "*"

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_LIST = re.compile(rf"\s*(?:\*|{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*)\s*")


def etag(digest: str, form: str = "") -> str:
    """The entity tag of an article, or of one form of it."""
    return f'"{digest}{"-" if form else ""}{form}"'


def if_match(header: str | None) -> tuple[str, ...] | None:
    """The digests that allow a change of the article, or `*`. None if there is no condition.

    A weak tag matches nothing, so no change is lost. The tag of any form of an article stands for the article. Raises
    InvalidRequest.
    """
    if header is None:
        return None
    if not _LIST.fullmatch(header):
        raise InvalidRequest(
            "If-Match", 'If-Match must be * or entity tags in double quotes, such as "3f0d6c1b".'
        )
    if header.strip() == ANY_TAG:
        return (ANY_TAG,)
    return tuple(tag.partition("-")[0] for weak, tag in _TAG.findall(header) if not weak)


def is_create_only(header: str | None) -> bool:
    """Whether If-None-Match only allows a new article.

    Raises InvalidRequest for any condition but `*`.
    """
    if header is None:
        return False
    if header.strip() != ANY_TAG:
        raise InvalidRequest(
            "If-None-Match",
            "If-None-Match can only be * here, to add an article that does not exist.",
        )
    return True


def is_held(headers: Iterable[str], tag: str) -> bool:
    """Whether a client that sent these If-None-Match headers has the version with this tag, by weak comparison."""
    named = frozenset(opaque_tags([tag]))
    return any(
        header.strip() == ANY_TAG or not named.isdisjoint(opaque_tags([header]))
        for header in headers
    )


def opaque_tags(headers: Iterable[str]) -> list[str]:
    """The entity tags in some headers, without quotes and weakness marks."""
    return [opaque for header in headers for _, opaque in _TAG.findall(header)]


def without_suffix(header: str, suffix: str) -> str:
    """The header with that suffix removed from each entity tag. Everything else stays as sent."""
    return _TAG.sub(lambda tag: f'{tag[1] or ""}"{tag[2].removesuffix(suffix)}"', header)


def with_suffix(tag: str, suffix: str) -> str:
    """A strong tag with that suffix. A weak tag is unchanged."""
    return f'{tag[:-1]}{suffix}"' if tag.startswith('"') else tag
