"""Given HEAD, the answer to GET without its body, on every route: RFC 9110, 9.3.2.

Everything within answers a GET, so that status and headers, Content-Length and ETag among them, are those of GET, and a
route that is new has HEAD by itself. It costs what GET costs, since nobody knows the length of an answer before it is
made; a stream is left as soon as its headers are known.
"""

from __future__ import annotations

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _HeadIsSent(Exception):
    """Ends a stream of which nothing more is wanted."""


class HeadAsGet:
    """ASGI middleware, inside the guard, which counts and logs the method that was asked for."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return
        ended = False

        async def head_send(message: Message) -> None:
            nonlocal ended
            if message["type"] != "http.response.body":
                await send(message)
                return
            if not ended:
                ended = True
                await send({"type": "http.response.body", "body": b""})
            if message.get("more_body", False):
                raise _HeadIsSent

        with suppress(_HeadIsSent):
            await self._app({**scope, "method": "GET"}, receive, head_send)
