"""Given a request, whether it is worked on now, later or not at all: rates, the line, and a deadline.

A service that queues without end answers nobody in time. So a client above its rate gets 429, a request that finds
the line full 503, both with `Retry-After`; and whoever was let in has an answer, or a 503, by the deadline. What
tells of the service's health, and fixed files, passes by all of this.

A question takes a place only once its body has arrived, and gives it back when its answer begins: slow clients hold
none. A place is held for as long as a thread works for it, also beyond the deadline; so there are never more threads
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

from kb.reporting.faults import where
from search_api.http import body as bodies
from search_api.http.problems import problem
from search_api.middleware import access
from search_api.middleware.line import Line, LineFull
from search_api.middleware.rate_limit import RateLimit

if TYPE_CHECKING:
    from search_api.telemetry.metrics import Metrics

logger = logging.getLogger(__name__)

RETRY_AFTER_S = 2

_FREE = ("/healthz", "/readyz", "/metrics", "/kb-search.js")
_FREE_FOLDER = "/static/"

OVERLOADED = "More questions have come in than can be answered in time. Ask again in a moment."
TOO_LATE = "The answer took longer than a question may take. Ask again in a moment, in fewer words."
TOO_OFTEN = "More requests have come from your address than are accepted. Wait as long as `Retry-After` says."


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
    """ASGI middleware."""

    def __init__(self, app: ASGIApp, line: Line, limits: Limits, metrics: Metrics) -> None:
        self._app = app
        self._line = line
        self._limits = limits
        self._metrics = metrics
        self._rates = RateLimit(limits.rate_limit, limits.rate_burst) if limits.rate_limit else None
        self._unanswered: set[asyncio.Task[None]] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_free(scope["path"]):
            await self._app(scope, receive, send)
            return
        wait = self._rates.wait_s(_address(scope)) if self._rates is not None else 0
        if wait:
            await self._refuse(scope, receive, send, 429, "rate", TOO_OFTEN, wait)
        elif _is_administration(scope):
            counted = bodies.bounded(scope, receive, self._limits.client_timeout_s)
            await self._app(scope, counted, send)
        else:
            await self._ask(scope, receive, send)

    async def _ask(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            body = await bodies.read_body(scope, receive, self._limits.client_timeout_s)
        except bodies.BodyTooLarge:
            response = problem(Request(scope), 413, bodies.too_large(bodies.MAX_BODY_BYTES))
            await response(scope, receive, send)
            return
        except bodies.BodyTooSlow:
            await problem(Request(scope), 408, bodies.TOO_SLOW)(scope, receive, send)
            return
        except bodies.ClientGone:
            return
        began = time.perf_counter()
        try:
            turn = self._line.enter()
        except LineFull:
            await self._refuse(scope, receive, send, 503, "line_full", OVERLOADED, RETRY_AFTER_S)
            return
        if turn is not None and (outcome := await self._wait(turn, receive)) != "turn":
            await self._refuse(scope, receive, send, 503, outcome, OVERLOADED, RETRY_AFTER_S)
            return
        waited = time.perf_counter() - began
        self._metrics.waited(waited)
        left = max(0.0, self._limits.deadline_s - waited)
        if await self._answer(scope, bodies.replayed(body, receive), send, left):
            return
        logger.warning("a request had no answer after %g s", self._limits.deadline_s)
        await self._refuse(scope, receive, send, 503, "deadline", TOO_LATE, RETRY_AFTER_S)

    async def _wait(self, turn: asyncio.Future[None], receive: Receive) -> str:
        """`turn` where the place came, `line_slow` where the deadline came first, `gone` where the client went away."""
        gone = asyncio.ensure_future(receive())  # the body is read: there is nothing else to come
        try:
            await asyncio.wait(
                (turn, gone),
                timeout=self._limits.deadline_s,
                return_when=asyncio.FIRST_COMPLETED,
            )
        except asyncio.CancelledError:
            self._line.give_up(turn)
            raise
        finally:
            gone.cancel()
        if turn.done() and not gone.done():
            return "turn"
        self._line.give_up(turn)
        return "gone" if gone.done() else "line_slow"

    async def _answer(self, scope: Scope, receive: Receive, send: Send, left: float) -> bool:
        """Work on a request that has a place. False where nothing was answered within `left` seconds."""
        relay = _Relay(send, self._line.leave)
        task = asyncio.create_task(self._work(scope, receive, relay))
        overdue = asyncio.get_running_loop().call_later(left, relay.give_up)
        task.add_done_callback(relay.end)
        try:
            await relay.outcome
        except asyncio.CancelledError:
            task.cancel()
            raise
        finally:
            overdue.cancel()
        if relay.given_up:
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
    """Passes an answer on as long as somebody waits for it, and gives the place back when it begins."""

    def __init__(self, send: Send, leave: Callable[[], None]) -> None:
        self._send = send
        self._leave = leave
        self._has_place = True
        self._begun = False
        self.given_up = False
        self.outcome: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    async def __call__(self, message: Message) -> None:
        self._begun = True
        self._give_place_back()
        if not self.given_up:
            await self._send(message)

    def give_up(self) -> None:
        """The deadline: nothing of an answer that has not begun is passed on any more."""
        if not self._begun and not self.outcome.done():
            self.given_up = True
            self.outcome.set_result(None)

    def end(self, task: asyncio.Task[None]) -> None:
        """The work has ended, in an answer or an exception."""
        self._give_place_back()
        # Asked for in any case: of an exception that nobody looks at, asyncio writes the message.
        error = None if task.cancelled() else task.exception()
        if self.given_up and error is not None:
            logger.error("a request that was too late failed: %s", where(error))
        if not self.outcome.done():
            self.outcome.set_result(None)

    def _give_place_back(self) -> None:
        if self._has_place:
            self._has_place = False
            self._leave()


def _is_free(path: str) -> bool:
    return path in _FREE or path.startswith(_FREE_FOLDER)


def _is_administration(scope: Scope) -> bool:
    """Changes to the library, and following them: they take as long as they take, and wait for no question."""
    return bool(access.needed(scope["method"], scope["path"], "open"))


def _address(scope: Scope) -> str:
    client = scope.get("client")
    return client[0] if client else ""
