"""Limits on pages of results."""

from __future__ import annotations

from kb.schema.arguments import check_whole
from kb.schema.errors import InvalidRequest

MAX_LIMIT = 100
"""Maximum number of results on one page."""

MAX_DEPTH = 1000
"""Maximum number of results on all pages together."""


def check_page(limit: int, offset: int) -> None:
    """Raise InvalidRequest, which names the parameter, unless `limit` is 1 to 100 and the page ends by result 1,000."""
    check_whole("limit", limit, 1, MAX_LIMIT)
    check_whole("offset", offset, 0)
    if offset + limit > MAX_DEPTH:
        raise InvalidRequest(
            "offset",
            f"offset is {offset} and limit {limit}; together they must be at most {MAX_DEPTH:,}. "
            "Ask a narrower question.",
        )
