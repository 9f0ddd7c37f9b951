"""Caching and compression of responses: ETags, 304 and gzip.

Search responses are not cacheable (`no-store`). Articles, their list and the OpenAPI document may be kept by the client
that asked for them, and are revalidated at each use.

Starlette's middleware compresses. A strong ETag names the bytes that travel (RFC 9110, 8.8.3), so the ETag of a
compressed response ends in `-gzip`. Routes never see that suffix: it is removed from the conditions of a request.
"""

from __future__ import annotations

import hashlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from search_api.http.etags import is_held, opaque_tags, with_suffix, without_suffix

CACHEABLE_PATHS = ("/api/v1/articles", "/openapi.json")
"""Responses at or below these addresses are cacheable by the client, unless their route says otherwise."""

CLIENT_CACHE_CONTROL = "private, no-cache"
"""`Cache-Control` of what a client may keep: no shared cache, and revalidation at each use."""

MIN_COMPRESSED_BYTES = 1024
_GZIP_LEVEL = 5  # beyond it a page gets a few per cent smaller, and takes twice as long
_SUFFIX = "-gzip"


def with_caching(app: ASGIApp) -> ASGIApp:
    """`app` with ETags, 304 and compression."""
    compressed = GZipMiddleware(Tagged(app), MIN_COMPRESSED_BYTES, _GZIP_LEVEL)
    return CodingTags(compressed)


class Tagged:
    """ASGI middleware. Gives a cacheable response an ETag of its content, and answers 304 if the client has that."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            await self._app(scope, receive, send)
            return
        conditions = Headers(scope=scope).getlist("if-none-match")
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
                left_out = "etag" in headers and is_held(conditions, headers["etag"])
                await send(_not_modified(headers) if left_out else start)
                if left_out:
                    await send({"type": "http.response.body", "body": b""})
            if not left_out:
                await send(message)

        await self._app(scope, receive, tagged_send)


class CodingTags:
    """ASGI middleware around the one that compresses. Gives compressed responses ETags of their own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = MutableHeaders(raw=list(scope["headers"]))
        held_compressed: set[str] = set()
        for name in ("if-match", "if-none-match"):
            given = headers.getlist(name)
            if coded := [tag for tag in opaque_tags(given) if tag.endswith(_SUFFIX)]:
                held_compressed.update(tag.removesuffix(_SUFFIX) for tag in coded)
                headers[name] = without_suffix(", ".join(given), _SUFFIX)

        async def coded_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                tag = answer.get("etag", "")
                is_compressed = answer.get("content-encoding") == "gzip" or (
                    message["status"] == 304 and not held_compressed.isdisjoint(opaque_tags([tag]))
                )
                if is_compressed and tag:
                    answer["etag"] = with_suffix(tag, _SUFFIX)
            await send(message)

        await self._app({**scope, "headers": headers.raw}, receive, coded_send)


def _tag(scope: Scope, headers: MutableHeaders, body: Message) -> None:
    """Set `Cache-Control` of a cacheable response, and an ETag where the whole body is in this message."""
    path = scope["path"]
    if any(path == kept or path.startswith(f"{kept}/") for kept in CACHEABLE_PATHS):
        headers.setdefault("cache-control", CLIENT_CACHE_CONTROL)
    if "no-cache" in headers.get("cache-control", "") and not body.get("more_body", False):
        digest = hashlib.blake2b(body.get("body", b""), digest_size=12)
        headers.setdefault("etag", f'"{digest.hexdigest()}"')


def _not_modified(headers: Headers) -> Message:
    kept = MutableHeaders(raw=list(headers.raw))
    for name in ("content-length", "content-type"):
        del kept[name]
    kept.add_vary_header("Accept-Encoding")  # as the answer would have had
    return {"type": "http.response.start", "status": 304, "headers": kept.raw}
