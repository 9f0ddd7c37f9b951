"""The server: listens, runs the application, and ends on SIGINT or SIGTERM."""

from __future__ import annotations

import errno
import signal
import socket
import sys
from contextlib import suppress

import uvicorn

from kb.reporting.logs import announce, configure_logging
from kb.schema.errors import IndexUnusable, InvalidRequest, KbError
from search_api.http.parts import part
from search_api.http.problem_kinds import index_remedy
from search_api.http.protocol import http_protocol
from search_api.service.app import check_settings, create_app
from search_api.service.processes import serve_by_workers
from search_api.state.live import LiveIndex
from search_api.state.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM, then let the requests under way end.

    Announces its address on stderr once it listens. Raises KbError if it may not listen, and `InvalidRequest` where
    a setting cannot be met.
    """
    configure_logging(settings.log_level, settings.log_format)
    check_settings(settings)
    with listen(settings.host, settings.port) as listener:
        if settings.workers > 1:
            serve_by_workers(settings, listener, _address(listener))
            return
        server = make_server(settings)
        signal.signal(signal.SIGTERM, _end)
        with suppress(KeyboardInterrupt):  # raised again by uvicorn after it has ended well
            server.run(sockets=[listener])


def _end(*_: object) -> None:
    """Exit with 0. uvicorn raises SIGTERM again after a clean end, and the default handler kills."""
    sys.exit(0)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket.

    Raises `InvalidRequest` for an unknown host, and KbError, naming host and port, where the port cannot be had: that
    is no wrong usage, and may succeed later.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        listener = socket.create_server((host, port), family=family, backlog=2048)
    except socket.gaierror:
        raise InvalidRequest(
            "host", f"There is no address {host!r} here: give another as --host or KB_HOST."
        ) from None
    except OSError as error:
        where, remedy = f"{host} port {port}", "give another as --port or KB_PORT"
        if error.errno == errno.EADDRINUSE:
            raise KbError(
                f"Cannot listen on {where}, which is in use: stop what listens there, or {remedy}."
            ) from None
        reason = error.strerror or type(error).__name__
        raise KbError(f"Cannot listen on {where} ({reason}): {remedy}.") from None
    # Its connections inherit this. asyncio sets it on sockets that name their protocol, which these do not; without it
    # the body of an answer waits 40 ms for the reader's word that its head has come.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def make_server(settings: Settings) -> uvicorn.Server:
    """The server of a new application, not yet running."""
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        http=http_protocol(settings.client_timeout_s, settings.base_url),
        ws="none",
        log_config=None,
        access_log=False,  # uvicorn's holds query strings, that is, questions
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=settings.shutdown_grace_s,
    )
    return _AnnouncedServer(config, part(app, LiveIndex))


class _AnnouncedServer(uvicorn.Server):
    """Announces what it serves, and where, once it listens."""

    def __init__(self, config: uvicorn.Config, live: LiveIndex) -> None:
        super().__init__(config)
        self._live = live

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and sockets:
            announce(self._announcement(_address(sockets[0])))

    def _announcement(self, address: str) -> str:
        try:
            with self._live.use() as knowledge_base:
                count = knowledge_base.article_count
        except IndexUnusable as error:
            return f"Serving no articles yet on {address}. {index_remedy(error)}"
        return f"Serving {count:,} articles on {address}"


def _address(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"
