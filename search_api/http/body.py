"""Request bodies, limited in size and in the time that each part may take to arrive."""

from __future__ import annotations

import asyncio

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import Message, Receive, Scope

MAX_BODY_BYTES = 65_536
"""Maximum size of a question's body in bytes. 4,000 characters, each escaped as two \\uXXXX, take 48,000."""


class BodyTooLarge(Exception):
    """The body is larger than allowed, as declared or as sent."""


class BodyTooSlow(Exception):
    """The client did not send its body in time."""


class ClientGone(Exception):
    """The client closed the connection before its request was complete."""


async def read_body(scope: Scope, receive: Receive, timeout_s: float) -> bytes:
    """The whole body, at most MAX_BODY_BYTES. Raises the exceptions above."""
    if _declared(scope) > MAX_BODY_BYTES:
        raise BodyTooLarge
    message = await _first(receive, timeout_s)
    body = message.get("body", b"")
    if message.get("more_body"):
        try:
            async with asyncio.timeout(timeout_s):
                body = await _rest(receive, bytearray(body))
        except TimeoutError:
            raise BodyTooSlow from None
    if len(body) > MAX_BODY_BYTES:
        raise BodyTooLarge
    return bytes(body)


async def _first(receive: Receive, timeout_s: float) -> Message:
    try:
        async with asyncio.timeout(timeout_s):
            message = await receive()
    except TimeoutError:
        raise BodyTooSlow from None
    if message["type"] == "http.disconnect":
        raise ClientGone
    return message


async def _rest(receive: Receive, body: bytearray) -> bytearray:
    more = True
    while more:
        if len(body) > MAX_BODY_BYTES:
            raise BodyTooLarge
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        body += message.get("body", b"")
        more = message.get("more_body", False)
    return body


def replayed(body: bytes, receive: Receive) -> Receive:
    """A `receive` that returns a body that was read already, then what comes after it."""
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def bounded(scope: Scope, receive: Receive, timeout_s: float) -> Receive:
    """A `receive` for a body that is processed as it arrives: limited in size and in the wait for each part.

    The limit is MAX_BODY_BYTES, or `max_body_bytes` in the scope's state, which the route sets once it knows the
    client. A larger body raises the HTTPException 413, a client that stops sending raises 408.
    """
    declared = _declared(scope)
    received = 0
    whole = False

    async def counted() -> Message:
        nonlocal received, whole
        if whole:
            return await receive()
        limit: int = scope["state"].get("max_body_bytes", MAX_BODY_BYTES)
        if declared > limit:
            raise HTTPException(413, too_large(limit))
        try:
            async with asyncio.timeout(timeout_s):
                message = await receive()
        except TimeoutError:
            raise HTTPException(408, TOO_SLOW_MESSAGE) from None
        whole = not message.get("more_body", False)
        received += len(message.get("body", b""))
        if received > limit:
            raise HTTPException(413, too_large(limit))
        return message

    return counted


TOO_SLOW_MESSAGE = "The request did not arrive in time. Send it faster, or in a smaller piece."


def too_large(limit: int) -> str:
    """The message for a body larger than that."""
    return f"The body is too large; it must be at most {limit:,} bytes."


def _declared(scope: Scope) -> int:
    declared = Headers(scope=scope).get("content-length", "")
    return int(declared[:20]) if declared.isascii() and declared.isdecimal() else 0
