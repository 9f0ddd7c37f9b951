"""The outermost middleware: request id, host check, security headers, access log, metrics, trace and status 500.

No query string, body, path or exception message is logged, since each may hold a question. The route as declared stands
for the path.
"""

from __future__ import annotations

import logging
import time
import uuid

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.reporting.logs import request_id_of_context
from kb.reporting.safe_traceback import safe_traceback
from search_api.http.hosts import HostVerdict, TrustedHosts
from search_api.http.problems import problem
from search_api.telemetry.metrics import Metrics
from search_api.telemetry.tracing import Tracing

logger = logging.getLogger(__name__)
access_logger = logging.getLogger("search_api.access")

_METHODS = frozenset(("DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"))
NO_ROUTE = "-"

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

BAD_HOST_MESSAGE = "The `Host` of the request is not valid."
WRONG_HOST_MESSAGE = "The service does not accept that `Host`."


class Boundary:
    """ASGI middleware. Answers 500 for every exception that nothing else has caught."""

    def __init__(
        self, app: ASGIApp, hosts: TrustedHosts, metrics: Metrics, tracing: Tracing | None
    ) -> None:
        self._app = app
        self._hosts = hosts
        self._metrics = metrics
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()
        request_id = uuid.uuid4().hex[:16]
        scope.setdefault("state", {})["request_id"] = request_id
        token = request_id_of_context.set(request_id)
        span = self._tracing.begin(scope) if self._tracing else None
        status = 0

        async def boundary_send(message: Message) -> None:
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
            if not await self._refused(scope, receive, boundary_send):
                await self._app(scope, receive, boundary_send)
        except ClientDisconnect:
            pass  # in the middle of its body: nobody waits for an answer, and nothing has failed
        except Exception as error:
            self._metrics.failed()
            logger.error("request %s failed: %s", request_id, safe_traceback(error))
            if status == 0:
                response = problem(Request(scope), 500)
                await response(scope, receive, boundary_send)
        finally:
            method, route = _named(scope)
            seconds = time.perf_counter() - began
            self._metrics.answered(method, route, status, seconds)
            if self._tracing and span:
                self._tracing.end(span, method, route, status)
            access_logger.info(
                "%s %s %d %.1f ms %s",
                *(method, route, status, seconds * 1000, request_id),
                extra={"fields": _fields(method, route, status, seconds)},
            )
            request_id_of_context.reset(token)

    async def _refused(self, scope: Scope, receive: Receive, send: Send) -> bool:
        """Refuse a request whose host is malformed or not trusted."""
        match self._hosts.verdict([v for name, v in scope["headers"] if name == b"host"]):
            case HostVerdict.TRUSTED:
                return False
            case HostVerdict.MALFORMED:
                response = problem(Request(scope), 400, BAD_HOST_MESSAGE)
            case HostVerdict.UNTRUSTED:
                response = problem(Request(scope), 421, WRONG_HOST_MESSAGE)
        await response(scope, receive, send)
        return True


class RouteRecorder:
    """ASGI middleware, the innermost. Records the route for `Boundary`: middleware between the two may copy the
    scope."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await self._app(scope, receive, send)
        finally:
            if scope["type"] == "http":
                scope["state"]["route"] = scope.get("route")


def _named(scope: Scope) -> tuple[str, str]:
    """The method, and the route as declared. Neither is the client's own text."""
    route = scope["state"].get("route")
    path = getattr(route, "path_format", None) or getattr(route, "path", None) or NO_ROUTE
    return scope["method"] if scope["method"] in _METHODS else "OTHER", path


def _fields(method: str, route: str, status: int, seconds: float) -> dict[str, object]:
    return {"method": method, "route": route, "status": status, "ms": round(seconds * 1000, 1)}
