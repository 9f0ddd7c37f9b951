"""uvicorn's HTTP/1.1, with timeouts against slow and broken clients.

uvicorn waits without limit for the head of a request and for a client to read its response. It answers malformed HTTP
in plain text, and reads all of a body that was refused. Here both waits are limited, every response to a malformed
request is a problem, and a connection whose body was refused is closed once the client has had time to read why.
"""

from __future__ import annotations

import asyncio
from functools import partial
from http import HTTPStatus
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from search_api.http.problem_kinds import kind_of
from search_api.http.problems import MEDIA_TYPE, Problem

MAX_LINGER_S = 2.0
"""Seconds that a client may continue to send a refused body. If closed at once, it might never see the response."""

_TOO_SLOW = "The head of the request did not arrive in time."
_NO_HTTP = "This is not a valid HTTP request."


class HttpProtocol(H11Protocol):
    """One connection."""

    def __init__(self, *args: Any, client_timeout_s: float, base_url: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._client_timeout_s = client_timeout_s
        self._base_url = base_url
        self._head_timer: asyncio.TimerHandle | None = None
        self._linger_timer: asyncio.TimerHandle | None = None
        self._write_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client has connected. The head of a request is due."""
        super().connection_made(transport)
        self._watch_head()

    def data_received(self, data: bytes) -> None:
        """Bytes have arrived: a head, part of one, or part of a body."""
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended."""
        for timer in (self._head_timer, self._linger_timer, self._write_timer):
            if timer is not None:
                timer.cancel()
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """The client does not read its response."""
        super().pause_writing()
        late = self.loop.call_later(self._client_timeout_s, self.transport.abort)
        self._write_timer = late

    def resume_writing(self) -> None:
        """The client reads its response again."""
        if self._write_timer is not None:
            self._write_timer.cancel()
            self._write_timer = None
        super().resume_writing()

    def on_response_complete(self) -> None:
        """A response was sent, perhaps before its request was complete."""
        super().on_response_complete()
        if self.conn.trailing_data[0]:  # a part of the next head came with the request
            self._watch_head()
        if self.conn.their_state is h11.SEND_BODY and not self.transport.is_closing():
            self._linger_timer = self.loop.call_later(MAX_LINGER_S, self._close_unfinished)

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 - uvicorn's words
        """Answer malformed HTTP."""
        self._refuse(400, _NO_HTTP)

    def _watch_head(self) -> None:
        """Start or stop the timer of a request's head. uvicorn's keep-alive timer covers the time before its first
        byte."""
        waits = self.conn.their_state is h11.IDLE and not self.transport.is_closing()
        if waits and self._head_timer is None:
            late = self.loop.call_later(self._client_timeout_s, self._head_is_late)
            self._head_timer = late
        elif not waits and self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if self.transport.is_closing():
            return
        begun = bool(self.conn.trailing_data[0])
        if begun and self.conn.our_state is h11.IDLE:
            self._refuse(408, _TOO_SLOW)
        else:
            self.transport.close()

    def _close_unfinished(self) -> None:
        if self.conn.their_state is h11.SEND_BODY:
            self.transport.close()

    def _refuse(self, status: int, detail: str) -> None:
        kind = kind_of(status)
        problem = Problem(
            type=f"{self._base_url}/docs#{kind.name}",
            title=kind.title,
            status=status,
            detail=detail,
        )
        body = problem.model_dump_json(exclude_none=True).encode()
        headers = [
            ("content-type", MEDIA_TYPE),
            ("content-length", str(len(body))),
            ("cache-control", "no-store"),
            ("x-content-type-options", "nosniff"),
            ("connection", "close"),
        ]
        answer = h11.Response(status_code=status, headers=headers, reason=HTTPStatus(status).phrase)
        try:
            for event in (answer, h11.Data(data=body), h11.EndOfMessage()):
                self.transport.write(self.conn.send(event) or b"")
        except h11.LocalProtocolError:
            pass  # an answer is under way already
        self.transport.close()


def http_protocol(client_timeout_s: float, base_url: str) -> Any:
    """The factory of connections for uvicorn. It can be pickled, for workers."""
    return partial(HttpProtocol, client_timeout_s=client_timeout_s, base_url=base_url)
