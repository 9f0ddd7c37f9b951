"""Admission control: rate limits, a bounded queue, and a deadline for each request.

An unbounded queue delays every request until its client has given up. So a client above its rate gets 429, and a
request that finds the queue full gets 503, both with `Retry-After`. An admitted request has a response, or a 503, by
the deadline. Health checks and static files are exempt.

A question takes a place only once its body has arrived, and releases it when its response begins: slow clients hold no
place. A place is held for as long as a thread works for it, also beyond the deadline, so there are never more threads
than places.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from fastapi import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kb.reporting.safe_traceback import safe_traceback
from search_api.http import body as bodies
from search_api.http.problems import problem
from search_api.middleware import access
from search_api.middleware.admission_queue import AdmissionQueue, QueueFull
from search_api.middleware.rate_limit import RateLimit

if TYPE_CHECKING:
    from search_api.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 2
"""`Retry-After` in seconds if the queue is full or the deadline has passed."""

_EXEMPT = ("/healthz", "/readyz", "/metrics", "/kb-search.js")
_EXEMPT_FOLDER = "/static/"

OVERLOADED_MESSAGE = (
    "More questions have come in than can be answered in time. Ask again in a moment."
)
TOO_LATE_MESSAGE = (
    "The answer took longer than a question may take. Ask again in a moment, in fewer words."
)
TOO_OFTEN_MESSAGE = (
    "Too many requests have come from your address. Wait as long as `Retry-After` says."
)


class Limits(Protocol):
    """The settings that bound what one worker takes on."""

    @property
    def deadline_s(self) -> float: ...
    @property
    def client_timeout_s(self) -> float: ...
    @property
    def rate_limit(self) -> float: ...
    @property
    def rate_burst(self) -> int: ...


class Admission:
    """ASGI middleware. Admits a request, lets it wait, or refuses it."""

    def __init__(
        self, app: ASGIApp, queue: AdmissionQueue, limits: Limits, metrics: Metrics
    ) -> None:
        self._app = app
        self._queue = queue
        self._limits = limits
        self._metrics = metrics
        self._rates = RateLimit(limits.rate_limit, limits.rate_burst) if limits.rate_limit else None
        self._unanswered: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_exempt(scope["path"]):
            await self._app(scope, receive, send)
            return
        wait = self._rates.wait_s(_address(scope)) if self._rates is not None else 0
        if wait:
            await self._refuse(scope, receive, send, 429, "rate", TOO_OFTEN_MESSAGE, wait)
        elif _is_administration(scope):
            counted = bodies.bounded(scope, receive, self._limits.client_timeout_s)
            await self._app(scope, counted, send)
        else:
            await self._admit(scope, receive, send)

    async def _admit(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await bodies.read_body(scope, receive, self._limits.client_timeout_s)
        except bodies.BodyTooLarge:
            response = problem(Request(scope), 413, bodies.too_large(bodies.MAX_BODY_BYTES))
            await response(scope, receive, send)
            return
        except bodies.BodyTooSlow:
            await problem(Request(scope), 408, bodies.TOO_SLOW_MESSAGE)(scope, receive, send)
            return
        except bodies.ClientGone:
            return
        began = time.perf_counter()
        try:
            ticket = self._queue.acquire()
        except QueueFull:
            await self._refuse(
                scope, receive, send, 503, "line_full", OVERLOADED_MESSAGE, RETRY_AFTER_S
            )
            return
        if ticket is not None and (outcome := await self._wait(ticket, receive)) != "admitted":
            await self._refuse(
                scope, receive, send, 503, outcome, OVERLOADED_MESSAGE, RETRY_AFTER_S
            )
            return
        waited = time.perf_counter() - began
        self._metrics.waited(waited)
        left = max(0.0, self._limits.deadline_s - waited)
        if await self._answer(scope, bodies.replayed(body, receive), send, left):
            return
        logger.warning("a request had no response after %g s", self._limits.deadline_s)
        await self._refuse(scope, receive, send, 503, "deadline", TOO_LATE_MESSAGE, RETRY_AFTER_S)

    async def _wait(self, ticket: asyncio.Future[None], receive: Receive) -> str:
        """`admitted`, `line_slow` where the deadline came first, or `gone` where the client went away."""
        gone = asyncio.ensure_future(receive())  # the body is read: there is nothing else to come
        try:
            await asyncio.wait(
                (ticket, gone),
                timeout=self._limits.deadline_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        except asyncio.CancelledError:
            self._queue.cancel(ticket)
            raise
        finally:
            gone.cancel()
        if ticket.done() and not gone.done():
            return "admitted"
        self._queue.cancel(ticket)
        return "gone" if gone.done() else "line_slow"

    async def _answer(self, scope: Scope, receive: Receive, send: Send, left: float) -> bool:
        """Work on a request that has a place. False if no response has begun within `left` seconds."""
        relay = _Relay(send, self._queue.release)
        task = asyncio.create_task(self._work(scope, receive, relay))
        overdue = asyncio.get_running_loop().call_later(left, relay.time_out)
        task.add_done_callback(relay.end)
        try:
            await relay.outcome
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            overdue.cancel()
        if relay.timed_out:
            self._unanswered.add(task)
            task.add_done_callback(self._unanswered.discard)
            return False
        task.result()
        return True

    async def _work(self, scope: Scope, receive: Receive, relay: _Relay) -> None:
        await self._app(scope, receive, relay)

    async def _refuse(
        self,
        scope: Scope,
        receive: Receive,
        send: Send,
        status: int,
        reason: str,
        detail: str,
        retry_after_s: int,
    ) -> None:
        self._metrics.shed(reason)
        kind = {"deadline": "too-late", "rate": "too-many-requests"}.get(reason, "overloaded")
        headers = {"Retry-After": str(retry_after_s)}
        response = problem(Request(scope), status, detail, kind=kind, headers=headers)
        await response(scope, receive, send)


class _Relay:
    """Passes a response on until the deadline drops it, and releases the place when the response begins."""

    def __init__(self, send: Send, release: Callable[[], None]) -> None:
        self._send = send
        self._release = release
        self._has_place = True
        self._begun = False
        self.timed_out = False
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __call__(self, message: Message) -> None:
        self._begun = True
        self._release_place()
        if not self.timed_out:
            await self._send(message)

    def time_out(self) -> None:
        """At the deadline: a response that has not begun is dropped from now on."""
        if not self._begun and not self.outcome.done():
            self.timed_out = True
            self.outcome.set_result(None)

    def end(self, task: asyncio.Task[None]) -> None:
        """The work has ended, in a response or an exception."""
        self._release_place()
        # Retrieved in any case: asyncio logs the message of an exception that is never retrieved.
        error = None if task.cancelled() else task.exception()
        if self.timed_out and error is not None:
            logger.error("a request failed after its deadline: %s", safe_traceback(error))
        if not self.outcome.done():
            self.outcome.set_result(None)

    def _release_place(self) -> None:
        if self._has_place:
            self._has_place = False
            self._release()


def _is_exempt(path: str) -> bool:
    return path in _EXEMPT or path.startswith(_EXEMPT_FOLDER)


def _is_administration(scope: Scope) -> bool:
    """Whether a request changes articles or follows a change. Such requests take as long as they take, outside the
    queue."""
    return bool(access.needed(scope["method"], scope["path"], "open"))


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""
