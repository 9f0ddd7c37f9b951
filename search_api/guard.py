"""Given any request, what holds for all: an id, safe headers, a bound on the body, one log line.

The outermost layer. No query string, body or exception message is ever logged: they may hold a
question.
"""

from __future__ import annotations

import logging
import time
import traceback
import uuid
from pathlib import Path
from urllib.parse import quote

from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.problems import problem

logger = logging.getLogger(__name__)
access_logger = logging.getLogger("search_api.access")

MAX_BODY_BYTES = 65_536
"""A question of 4,000 characters, each escaped as two \\uXXXX, takes 48,000 bytes."""

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self';"
        " img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Questions stand in addresses, and an address must not travel to a source that is followed.
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """ASGI middleware. Answers 500 itself for whatever nothing else has caught."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def guarded_send(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in SECURITY_HEADERS.items():
                    headers.setdefault(name, value)
                headers["X-Request-ID"] = request_id
                # Answers, and errors about them, belong in no cache; fixed files say otherwise.
                headers.setdefault("Cache-Control", "no-store")
            await send(message)

        try:
            await self._app(scope, _bounded(scope, receive), guarded_send)
        except Exception as error:
            logger.error("request %s failed: %s", request_id, where(error))
            if status == 0:
                response = problem(Request(scope), 500)
                await response(scope, receive, guarded_send)
        finally:
            access_logger.info(
                "%s %s %d %.1f ms %s",
                scope["method"],
                # Quoted, so that a decoded line break cannot begin a line of its own.
                quote(scope["path"]),
                status,
                (time.perf_counter() - began) * 1000,
                request_id,
            )


def _bounded(scope: Scope, receive: Receive) -> Receive:
    """`receive`, counting the body's bytes as they come in; too many raise a 413."""
    declared = Headers(scope=scope).get("content-length", "")
    received = 0

    async def bounded() -> Message:
        nonlocal received
        # A route that keeps what it is sent allows more, once it knows who sends it.
        most: int = scope["state"].get("max_body_bytes", MAX_BODY_BYTES)
        if declared.isdecimal() and int(declared[:20]) > most:
            raise _too_large(most)
        message = await receive()
        received += len(message.get("body", b""))
        if received > most:
            raise _too_large(most)
        return message

    return bounded


def _too_large(most: int) -> HTTPException:
    return HTTPException(413, f"The body may have at most {most:,} bytes.")


def where(error: BaseException) -> str:
    """The types of an error and its causes with the places they passed, without any message."""
    parts = []
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        frames = traceback.extract_tb(cause.__traceback__)[-12:]
        places = " > ".join(f"{_short(frame.filename)}:{frame.lineno}" for frame in frames)
        parts.append(f"{type(cause).__name__} at {places}")
        cause = cause.__cause__ or cause.__context__
    return "; caused by ".join(parts)


def _short(filename: str) -> str:
    return "/".join(Path(filename).parts[-2:])
