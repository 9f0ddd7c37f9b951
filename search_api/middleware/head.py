"""HEAD on every route: the response to GET without its body (RFC 9110, 9.3.2).

The inner application sees a GET. So status and headers, Content-Length and ETag among them, are the same as for GET,
and a new route has HEAD at once. HEAD costs what GET costs, since the length of a response is known only once it is
made. A stream is left as soon as its headers are known.
"""

from __future__ import annotations

from contextlib import suppress

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class _HeadIsSent(Exception):
    """Ends a stream after its headers."""


class HeadAsGet:
    """ASGI middleware, inside `Boundary`, which counts and logs the method as it was sent."""

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
