"""What JSON Schema cannot say of a request, so that Schemathesis does not take it for one that must be accepted."""

from __future__ import annotations

from typing import Any

import schemathesis


@schemathesis.serializer("application/jsonl", "application/x-ndjson")
def as_it_is(_: schemathesis.SerializationContext, value: Any) -> bytes:
    """The document says of JSON Lines no more than that they are text."""
    return value if isinstance(value, bytes) else str(value).encode(errors="replace")


@schemathesis.hook
def filter_case(context: schemathesis.HookContext, case: schemathesis.Case) -> bool:
    """Leave out what goes by two fields together, which the document cannot say or does not; other tests have it."""
    body = case.body if isinstance(case.body, dict) else {}
    searches = body.get("searches")
    query = case.query or {}
    if "q" not in query and ("question" in query or "text" in query):
        return False  # the document has `q` as required, and the service takes another name for it
    return not any(
        _is_contradictory(search)
        for search in (case.query, body, *(searches if isinstance(searches, list) else ()))
    )


def _is_contradictory(search: Any) -> bool:
    if not hasattr(search, "get"):
        return False
    limit, offset = search.get("limit", 10), search.get("offset", 0)
    numbers = (int, float)  # to JSON, 999.0 is a whole number
    is_too_deep = (
        isinstance(limit, numbers) and isinstance(offset, numbers) and limit + offset > 1000
    )
    is_doubly_named = search.get("tag") is not None and search.get("topic") is not None
    is_nowhere = search.get("start") is not None and search.get("section") is None
    names = [name for name in ("q", "question", "text") if name in search]
    is_asked_otherwise = len(names) > 1
    return is_too_deep or is_doubly_named or is_nowhere or is_asked_otherwise
