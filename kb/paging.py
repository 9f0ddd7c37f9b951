"""Given where a page of results begins and how long it is, an error where no such page is given out."""

from __future__ import annotations

from kb.errors import InvalidRequest

MAX_LIMIT = 100
"""So many results are on a page at most."""

MAX_DEPTH = 1000
"""So many results all pages have together."""


def check_page(limit: int, offset: int) -> None:
    """Raise InvalidRequest, which names the parameter, unless `limit` is 1 to 100 and `offset` leaves room for it."""
    if not 1 <= limit <= MAX_LIMIT:
        raise InvalidRequest("limit", f"limit is {limit}; it must be from 1 to {MAX_LIMIT}.")
    if offset < 0:
        raise InvalidRequest("offset", f"offset is {offset}; it must be at least 0.")
    if offset + limit > MAX_DEPTH:
        raise InvalidRequest(
            "offset",
            f"offset is {offset} and limit {limit}; together they must be at most {MAX_DEPTH:,}. "
            "Ask a narrower question.",
        )
