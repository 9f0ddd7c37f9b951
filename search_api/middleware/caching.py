"""Given an answer, what a client may keep of it, and how it travels: ETags, 304 and gzip.

Answers to questions are kept nowhere (the guard's `no-store`). Articles, their list and the OpenAPI document may be
kept by the client that asked, which asks each time whether they are still as they were.

Starlette's middleware compresses. A strong ETag names the bytes that travel (RFC 9110, 8.8.3), so that of a compressed
answer ends in `-gzip`; what a client sends back loses that again before any route sees it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

KEPT_PATHS = ("/api/v1/articles", "/openapi.json")
"""What lies at or below these may be kept, unless its route says otherwise."""

KEPT = "private, no-cache"
"""Kept by no cache that several clients share, and used again only once the service has said that it holds."""

MIN_COMPRESSED_BYTES = 1024
_GZIP_LEVEL = 5  # beyond it a page gets a few per cent smaller, and takes twice as long
_SUFFIX = "-gzip"


def with_caching(app: ASGIApp) -> ASGIApp:
    """`app` with all of this around it."""
    compressed = GZipMiddleware(Tagged(app), MIN_COMPRESSED_BYTES, _GZIP_LEVEL)
    return CodingTags(compressed)


class Tagged:
    """ASGI middleware. Gives what may be kept an ETag of its content, and answers 304 where the client has that."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        known = _tags(Headers(scope=scope).getlist("if-none-match"))
        begun: Message | None = None
        left_out = False

        async def tagged_send(message: Message) -> None:
            nonlocal begun, left_out
            if message["type"] == "http.response.start" and message["status"] == 200:
                begun = message  # until its body is there to be hashed
                return
            if begun is not None and message["type"] == "http.response.body":
                start, begun = begun, None
                headers = MutableHeaders(scope=start)
                _tag(scope, headers, message)
                left_out = _is_known(headers.get("etag"), known)
                await send(_not_modified(headers) if left_out else start)
                if left_out:
                    await send({"type": "http.response.body", "body": b""})
            if not left_out:
                await send(message)

        await self._app(scope, receive, tagged_send)


class CodingTags:
    """ASGI middleware around the one that compresses: the ETags of compressed answers are their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        compressed_tags: set[str] = set()
        headers = MutableHeaders(raw=list(scope["headers"]))
        for name in ("if-match", "if-none-match"):
            given = _tags(headers.getlist(name))
            if ours := [tag for tag in given if tag.endswith(f'{_SUFFIX}"')]:
                compressed_tags.update(ours)
                headers[name] = ", ".join(map(_without_suffix, given))
        known = {_without_suffix(tag) for tag in compressed_tags}

        async def coded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                tag = answer.get("etag", "")
                is_compressed = answer.get("content-encoding") == "gzip" or (
                    message["status"] == 304 and tag in known
                )
                if is_compressed and tag.startswith('"'):
                    answer["etag"] = f'{tag[:-1]}{_SUFFIX}"'
            await send(message)

        await self._app({**scope, "headers": headers.raw}, receive, coded_send)


def _tag(scope: Scope, headers: MutableHeaders, body: Message) -> None:
    """Say that an answer may be kept where that is so; and name its content, where it is there as a whole."""
    path = scope["path"]
    if any(path == kept or path.startswith(f"{kept}/") for kept in KEPT_PATHS):
        headers.setdefault("cache-control", KEPT)
    if "no-cache" in headers.get("cache-control", "") and not body.get("more_body", False):
        digest = hashlib.blake2b(body.get("body", b""), digest_size=12)
        headers.setdefault("etag", f'"{digest.hexdigest()}"')


def _is_known(tag: str | None, known: list[str]) -> bool:
    """Whether the client has it, by weak comparison."""
    return tag is not None and ("*" in known or _opaque(tag) in map(_opaque, known))


def _not_modified(headers: Headers) -> Message:
    kept = MutableHeaders(raw=list(headers.raw))
    for name in ("content-length", "content-type"):
        del kept[name]
    kept.add_vary_header("Accept-Encoding")  # as the answer would have had
    return {"type": "http.response.start", "status": 304, "headers": kept.raw}


def _tags(values: Iterable[str]) -> list[str]:
    """The ETags of a header that names some. Ours hold no comma; one that does is not ours."""
    return [tag.strip() for value in values for tag in value.split(",") if tag.strip()]


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")


def _without_suffix(tag: str) -> str:
    return f'{tag.removesuffix(_SUFFIX + chr(34))}"' if tag.endswith(f'{_SUFFIX}"') else tag
