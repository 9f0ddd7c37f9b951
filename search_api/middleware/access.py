"""Access control: one table of the scopes that each request needs, and the middleware that checks its key.

A key is sent as `Authorization: Bearer ...`. The table is keyed by address and method, and is checked before anything
of a body is read. An address outside the table counts as *reading*: open, or for the scope `search`, as the operator
has set. So a new route is never open where reading needs a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from fastapi import Request
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from kb.storage.keys import Key, KeyRing, KeysDamaged
from search_api.http.problems import problem

Access = Literal["open", "key"]

OPEN_PATHS = ("/healthz", "/readyz", "/metrics", "/openapi.json", "/docs", "/kb-search.js")
OPEN_FOLDERS = ("/static/",)
"""Addresses without any text of an article. They are always open."""

_READING = frozenset({"search"})
_READING_ARTICLES = frozenset({"search", "articles"})
_CHANGING = frozenset({"articles"})
_FOLLOWING = frozenset({"articles", "admin"})
_ADMINISTERING = frozenset({"admin"})
_SAFE = ("GET", "HEAD", "OPTIONS", "QUERY", "TRACE")

SECURITY_SCHEME = "key"
NO_KEYS_MESSAGE = (
    "Administration is off because there is no key. The operator can make one: "
    "kb keys add NAME --scope articles --scope admin"
)
_NO_KEYS_TO_ASK = (
    "Searching needs a key here, and there is none yet. The operator can make one: "
    "kb keys add NAME --scope search"
)


def needed(method: str, path: str, reading: Access) -> frozenset[str]:
    """The scopes of which a request must have one; empty if the request is open."""
    if path == "/api/v1/articles" or path.startswith("/api/v1/articles/"):
        if method not in _SAFE:
            return _CHANGING
        return _READING_ARTICLES if reading == "key" else frozenset()
    if path in ("/api/v1/upload", "/api/v1/import"):
        return _CHANGING
    if path == "/api/v1/tasks" or path.startswith("/api/v1/tasks/"):
        return _FOLLOWING
    if path in ("/api/v1/rebuild", "/api/v1/status"):
        return _ADMINISTERING
    if reading == "open" or path in OPEN_PATHS or path.startswith(OPEN_FOLDERS):
        return frozenset()
    return _READING


class KeyCheck:
    """ASGI middleware. Passes a request whose key allows it, with the key as `scope["state"]["key"]`.

    Answers 401 where no known key was sent, and 403 where the key lacks the scope or there are no keys at all.
    """

    def __init__(self, app: ASGIApp, keys: KeyRing, reading: Access) -> None:
        self._app = app
        self._keys = keys
        self._reading = reading

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refused = None
        if scope["type"] == "http":
            scopes = needed(scope["method"], scope["path"], self._reading)
            if scopes:
                refused = self._refused(scope, scopes)
        await (refused or self._app)(scope, receive, send)

    def _refused(self, scope: Scope, scopes: frozenset[str]) -> Response | None:
        request = Request(scope)
        try:
            if not self._keys.all():
                return problem(
                    request, 403, _NO_KEYS_TO_ASK if "search" in scopes else NO_KEYS_MESSAGE
                )
            presented = _presented(Headers(scope=scope))
            key = self._keys.find(presented) if presented is not None else None
        except KeysDamaged:
            return problem(
                request, 403, "The file of keys cannot be read. The operator must repair it."
            )
        wanted = " or ".join(sorted(scopes))
        if key is None:
            return problem(
                request,
                401,
                f"Send a key with the scope {wanted}, as Authorization: Bearer KEY.",
                headers=_challenge('error="invalid_token"' if presented is not None else ""),
            )
        if scopes.isdisjoint(key.scopes):
            return problem(
                request,
                403,
                f"This key does not have the scope {wanted}.",
                headers=_challenge('error="insufficient_scope"'),
            )
        scope["state"]["key"] = key
        return None


def bearer(request: Request) -> Key:
    """The key of a request, on a route that needs one."""
    key: Key = request.state.key
    return key


def _presented(headers: Headers) -> str | None:
    """What was presented as a key, well formed or not; None if nothing was presented."""
    given = headers.getlist("authorization")
    if not given:
        return None
    scheme, _, value = given[0].partition(" ")
    return value.strip() if len(given) == 1 and scheme.lower() == "bearer" else ""


def _challenge(error: str) -> Mapping[str, str]:
    return {"WWW-Authenticate": f'Bearer realm="kb"{", " if error else ""}{error}'}


def describe(
    document: dict[str, Any], reading: Access, refusals: Mapping[int | str, dict[str, Any]]
) -> None:
    """Add to the OpenAPI document which scopes each operation needs, by the same table, and how it refuses."""
    document["components"].setdefault("securitySchemes", {})[SECURITY_SCHEME] = {
        "type": "http",
        "scheme": "bearer",
        "description": "A key made by `kb keys add`. Each operation lists the scopes that allow it.",
    }
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            scopes = needed(method.upper(), path, reading)
            operation["security"] = [{SECURITY_SCHEME: [scope]} for scope in sorted(scopes)]
            if scopes:
                for status in (401, 403):
                    operation["responses"].setdefault(str(status), refusals[status])
