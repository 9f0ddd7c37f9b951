"""Cross-origin requests (CORS), for the API alone.

The setting `KB_ALLOWED_ORIGINS` names the sites whose pages may read responses. Cookies and credentials are never
allowed, and pages are not opened to other sites: programs use the API. A site that is not named gets no header, and its
browser refuses.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

EVERY_SITE = "*"
API_PATH = "/api/"
_KEPT_S = "600"


class CrossOrigin:
    """ASGI middleware. `origins` are such as `https://example.org`, or `*` for every site."""

    def __init__(self, app: ASGIApp, origins: Collection[str]) -> None:
        self._app = app
        self._origins = frozenset(origins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith(API_PATH):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        granted = self._granted(headers.get("origin"))

        async def opened_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.add_vary_header("Origin")
                if granted:
                    answer["Access-Control-Allow-Origin"] = granted
            await send(message)

        if granted and scope["method"] == "OPTIONS" and "access-control-request-method" in headers:
            await opened_send(_preflight())
            await opened_send({"type": "http.response.body", "body": b""})
            return
        await self._app(scope, receive, opened_send)

    def _granted(self, origin: str | None) -> str | None:
        if origin is None:
            return None
        if EVERY_SITE in self._origins:
            return EVERY_SITE
        return origin if origin.lower() in self._origins else None


def _preflight() -> Message:
    return {
        "type": "http.response.start",
        "status": 204,
        "headers": [
            (b"access-control-allow-methods", b"GET, POST"),
            (b"access-control-allow-headers", b"Content-Type"),
            (b"access-control-max-age", _KEPT_S.encode()),
        ],
    }
