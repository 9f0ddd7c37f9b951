"""Entity tags, and the conditions `If-Match` and `If-None-Match` that name them: RFC 9110, 8.8.3 and 13.1."""

from __future__ import annotations

import re
from collections.abc import Iterable

from kb.schema.errors import InvalidRequest

ANY = "*"

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_LIST = re.compile(rf"\s*(?:\*|{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*)\s*")


def etag(digest: str, form: str = "") -> str:
    """The entity tag of an article, or of one form of it."""
    return f'"{digest}{"-" if form else ""}{form}"'


def if_match(header: str | None) -> tuple[str, ...] | None:
    """The digests of which an article must have one to be changed, or `*`; None if any or no article may be there.

    A weak tag matches nothing, since a change must not be lost. The tag of any form of an article stands for the
    article. Raises InvalidRequest.
    """
    if header is None:
        return None
    if not _LIST.fullmatch(header):
        raise InvalidRequest(
            "If-Match", 'If-Match is * or entity tags in double quotes, as in "3f0d6c1b".'
        )
    if header.strip() == ANY:
        return (ANY,)
    return tuple(tag.partition("-")[0] for weak, tag in _TAG.findall(header) if not weak)


def is_create_only(header: str | None) -> bool:
    """Whether If-None-Match allows a change only of an article that does not exist yet.

    Raises InvalidRequest for any condition but `*`.
    """
    if header is None:
        return False
    if header.strip() != ANY:
        raise InvalidRequest(
            "If-None-Match",
            "If-None-Match can only be * here: make the article if it is not there.",
        )
    return True


def is_held(headers: Iterable[str], tag: str) -> bool:
    """Whether a client that sent these If-None-Match headers holds what the tag names, by weak comparison."""
    named = frozenset(opaque_tags([tag]))
    return any(
        header.strip() == ANY or not named.isdisjoint(opaque_tags([header])) for header in headers
    )


def opaque_tags(headers: Iterable[str]) -> list[str]:
    """Each entity tag in some headers, without quotes and the sign of a weak one."""
    return [opaque for header in headers for _, opaque in _TAG.findall(header)]


def without_suffix(header: str, suffix: str) -> str:
    """The header with that suffix removed from each entity tag that ends in it. All else stays as it was sent."""
    return _TAG.sub(lambda tag: f'{tag[1] or ""}"{tag[2].removesuffix(suffix)}"', header)


def with_suffix(tag: str, suffix: str) -> str:
    """A strong tag with that suffix; a weak one as it is."""
    return f'{tag[:-1]}{suffix}"' if tag.startswith('"') else tag
