"""Errors about malformed requests over streamable HTTP that do not repeat the request.

The SDK answers a body that is not JSON-RPC with pydantic's messages, which repeat the body.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from mcp_types import INVALID_PARAMS

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Callable[[], Awaitable[Message]], Send], Awaitable[None]]

NOT_A_MESSAGE_TEXT = (
    "The body must be one JSON-RPC request or notification, and its params an object."
)


class PlainEnvelopeErrors:
    """ASGI middleware. Replaces the text of a 400 about a message whose id could not be read."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(
        self, scope: Message, receive: Callable[[], Awaitable[Message]], send: Send
    ) -> None:
        """Serve one connection."""
        start: Message | None = None
        body = bytearray()

        async def plain_send(message: Message) -> None:
            nonlocal start
            if message["type"] == "http.response.start" and message["status"] == 400:
                start = message  # kept until its body arrives
            elif start is None:
                await send(message)
            else:
                body.extend(message.get("body", b""))
                if not message.get("more_body", False):
                    told = _in_our_words(bytes(body))
                    await send({**start, "headers": _with_length(start["headers"], len(told))})
                    await send({"type": "http.response.body", "body": told})

        await self._app(scope, receive, plain_send)


def _in_our_words(body: bytes) -> bytes:
    try:
        answer = json.loads(body)
        is_of_the_envelope = answer["id"] is None and answer["error"]["code"] == INVALID_PARAMS
    except (ValueError, LookupError, TypeError):
        return body
    if not is_of_the_envelope:
        return body
    return json.dumps(
        {**answer, "error": {"code": INVALID_PARAMS, "message": NOT_A_MESSAGE_TEXT}}
    ).encode()


def _with_length(headers: Any, length: int) -> list[tuple[bytes, bytes]]:
    kept = [(name, value) for name, value in headers if name.lower() != b"content-length"]
    return [*kept, (b"content-length", str(length).encode())]
