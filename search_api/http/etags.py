"""Given conditions as HTTP writes them, the digests of articles that they name."""

from __future__ import annotations

import re

from kb.schema.errors import InvalidRequest

_TAG = re.compile(r'(W/)?"([\x21\x23-\x7e]*)"')
_LIST = re.compile(rf"\s*(?:\*|{_TAG.pattern}(?:\s*,\s*{_TAG.pattern})*)\s*")
ANY = "*"


def etag(digest: str, form: str = "") -> str:
    """The entity tag of an article, or of one form of it."""
    return f'"{digest}{"-" if form else ""}{form}"'


def if_match(header: str | None) -> tuple[str, ...] | None:
    """The digests that a change is meant for, or `*`; None where it is for any or none. Raises InvalidRequest.

    A weak tag matches nothing, for a change must not be lost; a tag of any form of an article stands for it.
    """
    if header is None:
        return None
    _check("If-Match", header)
    if header.strip() == ANY:
        return (ANY,)
    return tuple(tag.partition("-")[0] for weak, tag in _TAG.findall(header) if not weak)


def is_create_only(header: str | None) -> bool:
    """Whether a change is for an article that is not there yet. Raises InvalidRequest for any condition but `*`."""
    if header is None:
        return False
    if header.strip() != ANY:
        raise InvalidRequest(
            "If-None-Match",
            "If-None-Match can only be * here: make the article if it is not there.",
        )
    return True


def is_held(header: str | None, tag: str) -> bool:
    """Whether a client that sent this If-None-Match holds what that tag names."""
    if header is None:
        return False
    return header.strip() == ANY or tag.strip('"') in (held for _, held in _TAG.findall(header))


def _check(name: str, header: str) -> None:
    if not _LIST.fullmatch(header):
        raise InvalidRequest(
            name, f'{name} is * or entity tags in double quotes, as in "3f0d6c1b".'
        )
